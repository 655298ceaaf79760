import { expect, test } from "vitest";
import { eventReader } from "./events";

test("an event in pieces is one event, and comments are none", () => {
  const read = eventReader();
  expect(read(": heartbeat\n\nevent: usage.tra")).toEqual([]);
  expect(read('cked\nid: 7\ndata: {"a":')).toEqual([]);
  expect(read("1}\n\n")).toEqual([{ event: "usage.tracked", id: "7", data: '{"a":1}' }]);
});

test("several events in one piece are several, and lines of data are joined", () => {
  expect(eventReader()("id: 1\n\ndata: a\ndata: b\n\n")).toEqual([
    { event: "message", id: "1", data: "" },
    { event: "message", id: undefined, data: "a\nb" },
  ]);
});
