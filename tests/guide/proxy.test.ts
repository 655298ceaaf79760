/** The reverse proxies of the examples, in front of a real server: an event of a stream arrives while the stream is open. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrackerServer } from "../../sdk/typescript/tests/servers.js";
import { filled, ROOT } from "./guide.js";

const scratch = mkdtempSync(join(tmpdir(), "proxy-"));
const text = (path: string) => readFileSync(join(ROOT, "examples/proxy", path), "utf8");
const CERTIFICATE = join(scratch, "certificate.pem");
const PRIVATE_KEY = join(scratch, "key.pem");

let tracker: TrackerServer;
beforeAll(async () => {
  const settings = ["server.trusted_proxies=127.0.0.1", "server.public_url=https://localhost"];
  tracker = await (await TrackerServer.start(undefined, 0, settings)).setUp();
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", PRIVATE_KEY, "-out", CERTIFICATE];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...names, ...files], {
    stdio: "ignore",
  });
});
afterAll(async () => {
  await tracker.remove();
  rmSync(scratch, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Waits until somebody listens there. */
async function listening(port: number, process: ChildProcess): Promise<void> {
  while (process.exitCode === null) {
    const socket = createConnection(port, "127.0.0.1");
    const connected = await new Promise<boolean>((done) => {
      socket.once("connect", () => done(true)).once("error", () => done(false));
    });
    socket.destroy();
    if (connected) return;
    await new Promise((done) => setImmediate(done));
  }
  throw new Error(`it ended with ${process.exitCode}`);
}

/** Starts a proxy, opens a stream through it, records a call, and waits for its event. */
async function streamThrough(port: number, command: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(command, args, { stdio: "ignore", env: { PATH: process.env.PATH, ...env } });
  try {
    await listening(port, child);
    const headers = { authorization: `Bearer ${tracker.key}`, host: `localhost:${port}` };
    const options = { port, host: "127.0.0.1", servername: "localhost", ca: readFileSync(CERTIFICATE), headers };
    const request = get({ ...options, path: "/api/usage/stream" });
    const [response] = await once(request, "response");
    const cost = port / 1000;
    await tracker.send("POST", "/api/usage/track", { model: "gpt-4o", cost });
    let read = "";
    for await (const piece of response) {
      read += piece;
      if (read.includes(`"cost":${cost}`)) break;
    }
    request.destroy();
    return { status: response.statusCode, type: response.headers["content-type"], read };
  } finally {
    const ended = child.exitCode === null && once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
}

test("nginx", async () => {
  const port = await freePort();
  const site = filled(text("nginx.conf"), {
    "server 127.0.0.1:8000": `server 127.0.0.1:${tracker.port}`,
    "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
    "/etc/ssl/costs.example.com.pem": CERTIFICATE,
    "/etc/ssl/private/costs.example.com.key": PRIVATE_KEY,
  });
  mkdirSync(join(scratch, "nginx"));
  const file = join(scratch, "nginx/nginx.conf");
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${scratch}/nginx/${name};`,
  );
  writeFileSync(
    file,
    `pid ${scratch}/nginx/pid;\nevents {}\nhttp {\naccess_log off;\n${paths.join("\n")}\n${site}\n}\n`,
  );
  const { status, type, read } = await streamThrough(port, "nginx", ["-c", file, "-e", "stderr", "-g", "daemon off;"]);
  expect([status, type]).toEqual([200, "text/event-stream"]);
  expect(read).toContain("event:");
});

test("Caddy", async () => {
  const port = await freePort();
  const file = join(scratch, "Caddyfile");
  // Nothing of its own: no port for its administration, and a certificate that the test knows.
  const site = text("Caddyfile").replace("{\n\t# -1", `{\n\ttls ${CERTIFICATE} ${PRIVATE_KEY}\n\t# -1`);
  expect(site).toContain("tls ");
  writeFileSync(file, `{\n\tadmin off\n\tgrace_period 10ms\n\tauto_https disable_redirects\n}\n${site}`);
  const env = { SITE: `https://localhost:${port}`, TRACKER: `127.0.0.1:${tracker.port}`, HOME: scratch };
  const { status, type, read } = await streamThrough(
    port,
    "caddy",
    ["run", "--config", file, "--adapter", "caddyfile"],
    env,
  );
  expect([status, type]).toEqual([200, "text/event-stream"]);
  expect(read).toContain("event:");
});
