import { fireEvent, screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { openPage } from "../../../tests/page";
import { refuses, says, server } from "../../../tests/server";

test("a digest is asked for, and the last one shown", async () => {
  const sent: unknown[] = [];
  server.use(
    says("/api/user/digest/preview", { title: "AI costs, last week: $4.20", lines: ["Spent: $4.20"], facts: {} }),
    http.put("*/api/user/digest", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ success: true, data: sent[0] });
    }),
  );
  openPage("/settings?tab=profile");
  fireEvent.change(await screen.findByLabelText("How often"), { target: { value: "weekly" } });
  fireEvent.change(screen.getByLabelText("Time zone of its days"), { target: { value: "Europe/Berlin" } });
  fireEvent.click(screen.getByRole("button", { name: "Save the digest" }));
  await waitFor(() => expect(sent).toEqual([{ frequency: "weekly", timeZone: "Europe/Berlin" }]));
  fireEvent.click(screen.getByRole("button", { name: "Preview" }));
  await screen.findByText("AI costs, last week: $4.20");
});

test("a time zone that there is not is said before anything is sent", async () => {
  openPage("/settings?tab=profile");
  fireEvent.change(await screen.findByLabelText("Time zone of its days"), { target: { value: "Mars/Base" } });
  fireEvent.click(screen.getByRole("button", { name: "Save the digest" }));
  await screen.findByText("There is no time zone “Mars/Base”.");
});

test("a digest that cannot be loaded says so beside the rest", async () => {
  server.use(refuses("/api/user/digest", 500, "the disk is full"));
  openPage("/settings?tab=profile");
  await screen.findByText(/the disk is full/);
  await screen.findByLabelText("New password");
});

const COUNTS = {
  addressHashes: ["ab"],
  records: 12,
  contents: 3,
  sessions: 2,
  traces: 0,
  events: 1,
  isLogEmptied: true,
};

test("a person is taken out after a count and after the address was typed again", async () => {
  const sent: { dryRun: boolean }[] = [];
  server.use(
    http.post("*/api/erasures", async ({ request }) => {
      const body = (await request.json()) as { dryRun: boolean };
      sent.push(body);
      const pseudonym = body.dryRun ? null : "erased-1@erased.invalid";
      return HttpResponse.json({ success: true, data: { ...COUNTS, pseudonym, dryRun: body.dryRun } });
    }),
  );
  openPage("/settings?tab=erasure");
  fireEvent.change(await screen.findByLabelText("E-mail address"), { target: { value: "bob@example.com" } });
  fireEvent.click(screen.getByLabelText(/As a customer/));
  fireEvent.click(screen.getByRole("button", { name: "Count what would be erased" }));
  const erase = await screen.findByRole("button", { name: "Erase for good" });
  expect(erase).toHaveProperty("disabled", true);
  fireEvent.change(screen.getByLabelText(/Type the address again/), { target: { value: "bob@example.com" } });
  expect(erase).toHaveProperty("disabled", false);
  fireEvent.click(erase);
  await screen.findByText(/erased-1@erased\.invalid/);
  expect(sent).toEqual([
    { userEmail: "bob@example.com", dryRun: true },
    { userEmail: "bob@example.com", dryRun: false },
  ]);
});

test("whom no record names there is nothing to erase of", async () => {
  const none = { ...COUNTS, records: 0, contents: 0, sessions: 0, events: 0, dryRun: true };
  server.use(http.post("*/api/erasures", () => HttpResponse.json({ success: true, data: none })));
  openPage("/settings?tab=erasure");
  fireEvent.change(await screen.findByLabelText("E-mail address"), { target: { value: "no@example.com" } });
  fireEvent.click(screen.getByRole("button", { name: "Count what would be erased" }));
  await screen.findByText("No record names no@example.com. There is nothing to erase.");
  expect(screen.queryByRole("button", { name: "Erase for good" })).toBeNull();
});

test("who does not administrate the installation may not erase", async () => {
  openPage("/settings?tab=erasure", "member");
  await screen.findByText("You may not see this");
});

test("the tab is for administrators", async () => {
  openPage("/settings", "member");
  await screen.findByRole("tab", { name: "Notifications" });
  expect(screen.queryByRole("tab", { name: "Erasure" })).toBeNull();
});
