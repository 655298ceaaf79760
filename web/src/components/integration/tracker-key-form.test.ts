import { expect, test } from "vitest";
import type { TrackerKey } from "@/services/user.service";
import { trackerKeyOf } from "./tracker-key-form";

function form(values: Record<string, string>): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries({ name: "A", scopes: "ingest", ...values })) made.set(name, value);
  return made;
}

test("what is empty is not sent", () => {
  expect(trackerKeyOf(form({}))).toEqual({ name: "A", scopes: ["ingest"] });
});

test("networks are words, a day is whole, limits are numbers", () => {
  const said = form({ allowedIps: "10.0.0.0/8, 203.0.113.7", expiresOn: "2026-12-31", requestsPerMinute: "60" });
  expect(trackerKeyOf(said)).toEqual({
    name: "A",
    scopes: ["ingest"],
    allowedIps: ["10.0.0.0/8", "203.0.113.7"],
    expiresAt: "2026-12-31T23:59:59Z",
    requestsPerMinute: 60,
  });
});

test("a limit that was emptied is taken away", () => {
  const key = { requestsPerMinute: 60, allowedIps: ["10.0.0.0/8"] } as TrackerKey;
  expect(trackerKeyOf(form({}), key)).toMatchObject({ requestsPerMinute: 0, allowedIps: [] });
});

test("an expiry that was emptied is taken away, and one that was not touched stays to the second", () => {
  const key = { expiresAt: "2026-12-31T12:00:00Z", allowedIps: [] as string[] } as TrackerKey;
  expect(trackerKeyOf(form({}), key)).toMatchObject({ expiresAt: null });
  expect(trackerKeyOf(form({ expiresOn: "2026-12-31" }), key)).toMatchObject({ expiresAt: "2026-12-31T12:00:00Z" });
  expect(trackerKeyOf(form({ expiresOn: "2027-01-31" }), key)).toMatchObject({ expiresAt: "2027-01-31T23:59:59Z" });
});

test("a project that was emptied is taken away", () => {
  const key = { projectId: "p1", allowedIps: [] as string[] } as TrackerKey;
  expect(trackerKeyOf(form({}), key)).toMatchObject({ projectId: null });
  expect(trackerKeyOf(form({ projectId: "p2" }), key)).toMatchObject({ projectId: "p2" });
});
