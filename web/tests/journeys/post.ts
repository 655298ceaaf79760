// A mail server that keeps nothing: it takes letters, and hands over the first that a journey waits for.
import { createServer, type Socket } from "node:net";

const ANSWERS: Record<string, string> = {
  EHLO: "250 localhost",
  HELO: "250 localhost",
  DATA: "354 go on",
  QUIT: "221 bye",
};

/** Listens, and then waits for the first letter that `wanted` is in: what its group found. */
export async function postOffice(port: number, wanted: RegExp): Promise<{ letter: Promise<string> }> {
  const server = createServer();
  const letter = new Promise<string>((take) => {
    server.on("connection", (socket) =>
      receive(socket, (text) => {
        // Quoted-printable breaks long lines by "=".
        const found = wanted.exec(text.replaceAll("=\r\n", "").replaceAll("=3D", "="))?.[1];
        if (found) take(found);
      }),
    );
  });
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  return { letter: letter.finally(() => server.close()) };
}

function receive(socket: Socket, take: (letter: string) => void): void {
  let text = "";
  let isLetter = false;
  socket.write("220 localhost\r\n");
  socket.on("error", () => socket.destroy());
  socket.on("data", (data) => {
    text += data;
    for (;;) {
      const end = text.indexOf(isLetter ? "\r\n.\r\n" : "\r\n");
      if (end < 0) return;
      const part = text.slice(0, end);
      text = text.slice(end + (isLetter ? 5 : 2));
      if (isLetter) take(part);
      socket.write(`${isLetter ? "250 taken" : (ANSWERS[part.slice(0, 4).toUpperCase()] ?? "250 ok")}\r\n`);
      isLetter = !isLetter && part.toUpperCase() === "DATA";
    }
  });
}
