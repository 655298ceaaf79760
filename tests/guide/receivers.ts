/** A mail server and a receiver of webhooks, on loopback, that keep what they get. */

import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Keeps what arrives, and answers when there are as many as were waited for. */
class Arrivals<Item> {
  readonly items: Item[] = [];
  private waiting: { count: number; done: (items: Item[]) => void }[] = [];

  add(item: Item): void {
    this.items.push(item);
    for (const { count, done } of this.waiting) if (this.items.length >= count) done(this.items);
  }

  reach(count: number): Promise<Item[]> {
    if (this.items.length >= count) return Promise.resolve(this.items);
    return new Promise((done) => this.waiting.push({ count, done }));
  }
}

export interface Receiver<Item> {
  port: number;
  arrivals: Arrivals<Item>;
  close: () => void;
}

const ANSWERS: Record<string, string> = { EHLO: "250 localhost", DATA: "354 go on", QUIT: "221 bye" };

/** Takes letters; keeps their subjects. */
export async function startMailServer(): Promise<Receiver<string>> {
  const arrivals = new Arrivals<string>();
  const server = createServer((socket) => takeLetters(socket, (text) => arrivals.add(subjectOf(text))));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { port: (server.address() as AddressInfo).port, arrivals, close: () => server.close() };
}

const subjectOf = (text: string): string => /^Subject: (.*)\r$/m.exec(text)?.[1] ?? "";

function takeLetters(socket: Socket, take: (text: string) => void): void {
  let read = "";
  let letter: string | undefined;
  socket.on("error", () => {});
  socket.write("220 localhost\r\n");
  socket.on("data", (piece) => {
    read += piece;
    for (let end = read.indexOf("\r\n"); end >= 0; end = read.indexOf("\r\n")) {
      const line = read.slice(0, end);
      read = read.slice(end + 2);
      if (letter !== undefined && line === ".") {
        take(letter);
        letter = undefined;
        socket.write("250 taken\r\n");
      } else if (letter !== undefined) {
        letter += `${line}\r\n`;
      } else {
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === "DATA") letter = "";
        socket.write(`${ANSWERS[verb] ?? "250 so be it"}\r\n`);
      }
    }
  });
}

/** Takes webhooks; keeps their bodies. */
export async function startWebhookReceiver(): Promise<Receiver<{ type: string; data: { threshold: number } }>> {
  const arrivals = new Arrivals<{ type: string; data: { threshold: number } }>();
  const server = createHttpServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    arrivals.add(JSON.parse(body));
    response.writeHead(204).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { port: (server.address() as AddressInfo).port, arrivals, close: () => server.close() };
}
