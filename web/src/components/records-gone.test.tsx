import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { ListGone, RecordsGone } from "./records-gone";

const period = { start: "2026-01-01T00:00:00Z", end: "2026-12-01T00:00:00Z", timeZone: "UTC", bucket: "day" } as const;

test("figures say from when on there are records", () => {
  render(<RecordsGone period={{ ...period, recordsFrom: "2026-08-03T00:00:00Z" }} />);
  screen.getByText(/^Records from before 3 Aug 2026, 00:00 were deleted by age/);
});

test("nothing is said when all of them are there", () => {
  const { container } = render(<RecordsGone period={{ ...period, recordsFrom: null }} />);
  expect(container.childElementCount).toBe(0);
});

test("a list says where it begins, if earlier records were deleted", () => {
  const { container, rerender } = render(<ListGone from="2026-08-03T00:00:00Z" timeZone="UTC" />);
  screen.getByText(/were deleted by age: this list does not have them/);
  rerender(<ListGone from={undefined} timeZone="UTC" />);
  expect(container.textContent).toBe("");
});
