import { fireEvent, screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { openPage } from "../../../tests/page";
import { says, server } from "../../../tests/server";

const ANOMALY = {
  id: "n1",
  projectId: "p1",
  projectName: "Support",
  service: "openai",
  model: "gpt-4o",
  span: "day",
  start: "2026-11-17T00:00:00Z",
  end: "2026-11-18T00:00:00Z",
  spent: 42.5,
  usual: 10.1,
  deviation: 0.4,
  samples: 8,
  basis: "same-time",
  times: "4.2",
  explanation: "gpt-4o spent 4.2 times its usual Tuesday",
  foundAt: "2026-11-17T15:00:00Z",
  expected: null as unknown,
};
const project = (role: string) => ({
  id: "p1",
  name: "Support",
  description: "",
  role,
  tags: [],
  settings: {},
  spending: { totalCost: 0 },
});

test("an anomaly says what it is, and leads to its calls", async () => {
  server.use(says("/api/anomalies", [ANOMALY]), says("/api/projects", [project("owner")]));
  openPage("/alerts?tab=anomalies");
  await screen.findByText(/gpt-4o spent 4\.2 times its usual Tuesday/);
  await screen.findByText("$42.50");
  screen.getByText(/usual \$10\.10, the median of the same weekday in 8 weeks/);
  expect(screen.getByRole("link", { name: "Its records" }).getAttribute("href")).toBe(
    "/records?from=2026-11-17&to=2026-11-17&tz=UTC&service=openai&model=gpt-4o&project=p1&sort=cost",
  );
});

test("an hour leads to the calls of that hour, and to its day by key", async () => {
  const hour = { ...ANOMALY, span: "hour", start: "2026-11-17T23:00:00Z", end: "2026-11-18T00:00:00Z" };
  server.use(says("/api/anomalies", [hour]), says("/api/projects", [project("owner")]));
  openPage("/alerts?tab=anomalies");
  const hrefOf = (name: string) => new URL((screen.getByRole("link", { name }) as HTMLAnchorElement).href).searchParams;
  await screen.findByRole("link", { name: "Its records" });
  const [records, day] = [hrefOf("Its records"), hrefOf("By the hour")];
  expect([records.get("from"), records.get("to")]).toEqual(["2026-11-17T23:00Z", "2026-11-18T00:00Z"]);
  expect([day.get("from"), day.get("to"), day.get("by")]).toEqual(["2026-11-17", "2026-11-17", "trackerKey"]);
});

test("an administrator of the project says why it was expected", async () => {
  const asked: (string | null)[] = [];
  const anomaly = { ...ANOMALY };
  server.use(
    says("/api/projects", [project("admin")]),
    http.get("*/api/anomalies", ({ request }) => {
      asked.push(new URL(request.url).searchParams.get("expected"));
      const data = anomaly.expected ? [] : [anomaly];
      return HttpResponse.json({ success: true, data, pagination: { hasNext: false, hasPrev: false } });
    }),
    http.put("*/api/anomalies/n1", async ({ request }) => {
      expect(await request.json()).toEqual({ expected: true, note: "load test" });
      anomaly.expected = { by: "1", at: "2026-11-18T00:00:00Z", note: "load test" };
      return HttpResponse.json({ success: true, data: anomaly });
    }),
  );
  openPage("/alerts?tab=anomalies");
  fireEvent.click(await screen.findByRole("button", { name: "Was expected" }));
  fireEvent.change(await screen.findByLabelText("Why"), { target: { value: " load test " } });
  fireEvent.click(screen.getByRole("button", { name: "Mark as expected" }));
  await screen.findByText("Nothing unusual");
  expect(asked).toContain("false");
});

test("what was expected says who said why, and the address says what is shown", async () => {
  const expected = { by: "1", at: "2026-11-18T10:00:00Z", note: "load test" };
  server.use(says("/api/anomalies", [{ ...ANOMALY, expected }]), says("/api/projects", [project("owner")]));
  const { address } = openPage("/alerts?tab=anomalies");
  await screen.findByText(/: load test/);
  await screen.findByRole("button", { name: "Was not expected" });
  fireEvent.click(screen.getByRole("radio", { name: "Expected" }));
  await waitFor(() => expect(address()).toBe("/alerts?tab=anomalies&expected=yes"));
});

test("a viewer sees it and may not judge it", async () => {
  server.use(says("/api/anomalies", [ANOMALY]), says("/api/projects", [project("viewer")]));
  openPage("/alerts?tab=anomalies", "member");
  await screen.findByText(/gpt-4o spent/);
  expect(screen.queryByRole("button", { name: "Was expected" })).toBeNull();
});

test("a refusal is said where one asked", async () => {
  server.use(
    says("/api/anomalies", [ANOMALY]),
    says("/api/projects", [project("owner")]),
    http.put("*/api/anomalies/n1", () =>
      HttpResponse.json(
        { success: false, error: { code: "forbidden", message: "this needs the role admin" } },
        { status: 403 },
      ),
    ),
  );
  openPage("/alerts?tab=anomalies");
  fireEvent.click(await screen.findByRole("button", { name: "Was expected" }));
  fireEvent.click(await screen.findByRole("button", { name: "Mark as expected" }));
  await screen.findByText("this needs the role admin");
});
