import { expect, test } from "vitest";
import { Events } from "../src/sse.js";

test.each(["\n\n", "\r\n\r\n", "\r\r", "\n\r\n"])("events end with %j, wherever the stream is cut", (end) => {
  const stream = `data: one${end}: a comment${end}event: x\ndata: two${end}data: open`;
  for (let size = 1; size <= stream.length; size += 1) {
    const events = new Events();
    const seen: string[] = [];
    for (let at = 0; at < stream.length; at += size) seen.push(...events.push(stream.slice(at, at + size)));
    expect([...seen, events.rest()].join("")).toBe(stream);
    expect(seen).toHaveLength(3);
  }
});
