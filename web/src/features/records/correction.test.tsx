import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import type { UsageRecord } from "@/api/queries";
import { server } from "../../../tests/server";
import { CorrectionDialog } from "./correction";

const record = (id: string, tags: string[], costAllocation = {}) =>
  ({ id, tags, costAllocation }) as unknown as UsageRecord;

const addTag = (): void => void fireEvent.change(screen.getByLabelText("Tags to add"), { target: { value: "eu" } });

function correct(records: UsageRecord[], answer: (ids: string[]) => object, say = addTag) {
  const sent: unknown[] = [];
  const ends: boolean[] = [];
  server.use(
    http.post("*/api/usage/corrections", async ({ request }) => {
      const body = (await request.json()) as { usageIds: string[] };
      sent.push(body);
      return HttpResponse.json({ success: true, data: answer(body.usageIds) });
    }),
  );
  render(
    <QueryClientProvider client={new QueryClient()}>
      <CorrectionDialog records={records} projects={[]} onClose={(done) => ends.push(done)} />
    </QueryClientProvider>,
  );
  say();
  fireEvent.click(screen.getByRole("button", { name: /^Correct/ }));
  return { sent, ends };
}

test("records that need the same are corrected by one call", async () => {
  const { sent, ends } = correct([record("a", []), record("b", []), record("c", ["vip"])], (ids) => ({
    corrected: ids.length,
    failed: 0,
    results: ids.map((id) => ({ id, corrected: true })),
  }));
  await waitFor(() => expect(ends).toEqual([true]));
  expect(sent).toEqual([
    { usageIds: ["a", "b"], change: { tags: ["eu"] } },
    { usageIds: ["c"], change: { tags: ["vip", "eu"] } },
  ]);
});

test("what was refused is said with its reason", async () => {
  const { ends } = correct([record("a", []), record("b", [])], () => ({
    corrected: 1,
    failed: 1,
    results: [
      { id: "a", corrected: true },
      { id: "b", corrected: false, code: "forbidden", message: "this needs the role member" },
    ],
  }));
  await screen.findByText("1 call corrected, 1 not: this needs the role member");
  expect(ends).toEqual([]);
});

test("tags and parts of the allocation are taken away, and the others stay", async () => {
  const { sent, ends } = correct(
    [record("a", ["eu", "vip"], { team: "ops", client: "acme" })],
    (ids) => ({ corrected: 1, failed: 0, results: ids.map((id) => ({ id, corrected: true })) }),
    () => {
      fireEvent.change(screen.getByLabelText("Tags to take away"), { target: { value: "vip, gone" } });
      fireEvent.click(screen.getByLabelText("client"));
    },
  );
  await waitFor(() => expect(ends).toEqual([true]));
  expect(sent).toEqual([{ usageIds: ["a"], change: { tags: ["eu"], costAllocation: { team: "ops" } } }]);
});
