import { fireEvent, screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import { openPage } from "../../../tests/page";
import { says, server } from "../../../tests/server";

const PROJECT = {
  id: "p1",
  name: "Support",
  description: "",
  role: "owner",
  tags: [],
  isActive: true,
  settings: { storePrompts: true, retention: { contentDays: 30, recordDays: null } },
  spending: { totalCost: 0 },
};

test("how long a project's records are kept is said in its settings; nothing is as the installation says", async () => {
  const sent: { settings?: unknown }[] = [];
  server.use(
    says("/api/projects", [PROJECT]),
    http.put("*/api/projects/p1", async ({ request }) => {
      sent.push((await request.json()) as object);
      return HttpResponse.json({ success: true, data: PROJECT });
    }),
  );
  openPage("/projects?project=p1&tab=settings");
  const content = await screen.findByLabelText("Days that prompts are kept");
  expect(content).toHaveProperty("value", "30");
  fireEvent.change(content, { target: { value: "" } });
  fireEvent.change(screen.getByLabelText("Days that records are kept"), { target: { value: "400" } });
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(sent).toHaveLength(1));
  expect(sent[0]?.settings).toEqual({ storePrompts: true, retention: { contentDays: null, recordDays: 400 } });
});
