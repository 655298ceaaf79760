import { screen, within } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { openPage } from "../../../tests/page";
import { says, server } from "../../../tests/server";

const ready = (status: number, text: string) => http.get("*/readyz", () => HttpResponse.text(text, { status }));

const group = (key: string | null, requests: number, errors: number, cost: number) => ({
  key: { trackerKey: key },
  names: { trackerKey: key && "Checkout" },
  requests,
  errors,
  cost,
  unpricedRequests: 0,
});

test("each key has its calls and errors, and they lead to them", async () => {
  server.use(
    ready(200, "ready\n"),
    says("/api/analytics", { groups: [group("k1", 12, 3, 1.5), group(null, 2, 0, 0.25)] }),
  );
  openPage("/integration");
  await screen.findByText("Takes calls");
  const row = (await screen.findByRole("link", { name: "Checkout" })).closest("tr");
  const links = within(row as HTMLElement).getAllByRole("link");
  const ways = links.map((link) => {
    const { pathname, searchParams } = new URL((link as HTMLAnchorElement).href);
    return [link.textContent, pathname, Object.fromEntries(searchParams)];
  });
  expect(ways).toEqual([
    ["Checkout", "/explorer", { range: "7d", by: "model", trackerKey: "k1" }],
    ["12", "/records", { range: "7d", trackerKey: "k1" }],
    ["3", "/records", { range: "7d", status: "error", trackerKey: "k1" }],
  ]);
  expect(screen.getByRole("link", { name: "Without a key" }).getAttribute("href")).toContain("trackerKey=(none)");
});

test("a server that cannot take calls says why", async () => {
  server.use(ready(503, "the store does not answer\n"), says("/api/analytics", { groups: [] }));
  openPage("/integration");
  await screen.findByText(/the store does not answer/);
});
