import { AICostOptimizer, attribute } from "ai-cost-optimizer";
import { beforeEach, expect, test } from "vitest";

type Sent = { usageData: Record<string, unknown>[] };
let sent: Record<string, unknown>[] = [];
beforeEach(() => {
  sent = [];
});

/** The tracker at one address, and a provider at any other. */
const http = async (input: unknown, init?: RequestInit): Promise<Response> => {
  if (!String(input).startsWith("http://tracker/")) {
    await Promise.resolve();
    return Response.json({ id: `reply-${sent.length}`, model: "m", usage: { prompt_tokens: 1, completion_tokens: 1 } });
  }
  const { usageData } = JSON.parse(String(init?.body)) as Sent;
  sent.push(...usageData);
  const data = { successful: usageData.length, duplicates: 0, failed: 0, results: [], errors: [] };
  return Response.json({ success: true, data });
};

const optimizer = () =>
  new AICostOptimizer({
    dashboardConfig: { baseUrl: "http://tracker/api" },
    defaultProjectId: "default",
    fetch: http as never,
  });
const ask = (metered: (url: string, init: RequestInit) => Promise<Response>) =>
  metered("https://api.openai.com/v1/chat/completions", { method: "POST", body: '{"model":"m","messages":[]}' });

test("what is metered inside is for whom was said around it, however it gets there", async () => {
  const all = optimizer();
  const metered = all.meteredFetch({ tags: ["own", "both"], costAllocation: { team: "own" } });
  const handle = async (sessionId: string) =>
    attribute({ sessionId, tags: ["both", "around"], costAllocation: { team: "around", client: "acme" } }, async () => {
      await new Promise((done) => setImmediate(done));
      await ask(metered);
      await attribute({ projectId: "inner", metadata: { step: 2 } }, () => ask(metered));
      return sessionId;
    });
  expect(await Promise.all([handle("a"), handle("b")])).toEqual(["a", "b"]);
  await ask(metered);
  await all.flush();
  const around = { tags: ["both", "around", "own"], costAllocation: { team: "own", client: "acme" } };
  const [, , , , outside] = sent;
  for (const sessionId of ["a", "b"]) {
    const [outer, inner, ...others] = sent.filter((record) => record.sessionId === sessionId);
    expect(others).toEqual([]);
    expect(outer).toMatchObject({ ...around, projectId: "default" });
    expect(inner).toMatchObject({ ...around, projectId: "inner", metadata: { step: 2 } });
  }
  expect(outside).toMatchObject({ projectId: "default", tags: ["own", "both"], costAllocation: { team: "own" } });
  expect(outside).not.toHaveProperty("sessionId");
});

test("so is what is recorded by hand, and a failure is the caller's", async () => {
  const all = optimizer();
  attribute({ userEmail: "ada@example.com", tags: ["around"] }, () => all.queueUsage({ model: "m", tags: ["own"] }));
  const failing = () => attribute({ tags: ["around"] }, () => Promise.reject(new Error("mine")));
  await expect(failing()).rejects.toThrow("mine");
  await all.flush();
  expect(sent).toMatchObject([{ userEmail: "ada@example.com", tags: ["around", "own"], projectId: "default" }]);
});
