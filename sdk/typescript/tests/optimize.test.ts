import { AICostOptimizer, type AICostOptimizerOptions, ProviderError } from "ai-cost-optimizer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prepare } from "../src/prompt.js";
import { AWS, Fake, KEY, TrackerServer } from "./servers.js";

let fake: Fake;
let tracker: TrackerServer;
beforeAll(async () => {
  fake = await Fake.start();
  const toFake = [`gateway.providers.openai.base_url=${fake.url}`];
  tracker = await (await TrackerServer.start(undefined, 0, toFake)).setUp();
});
afterAll(async () => {
  await fake.stop();
  await tracker.remove();
});

const optimizerWith = (options: AICostOptimizerOptions) =>
  new AICostOptimizer({
    apiKey: KEY,
    providerUrl: options.provider === undefined || options.provider === "openai" ? `${fake.url}/v1` : fake.url,
    defaultProjectId: tracker.project,
    dashboardConfig: { baseUrl: `${tracker.url}/api`, apiKey: tracker.key },
    ...options,
  });
const QUESTION = { system: "Be brief.", prompt: "Say something about the price of things" };

describe("every provider is asked in its own way, and costs what it billed", () => {
  test.each([
    // 17 × 0.15 + 16 × 0.60
    ["openai", "gpt-4o-mini", KEY, 0.00001215],
    // 17 × 1 + 16 × 5
    ["anthropic", "claude-haiku-4-5", KEY, 0.000097],
    // 17 × 0.30 + 21 × 2.50
    ["google", "gemini-2.5-flash", KEY, 0.0000576],
    // 17 × 0.06 + 16 × 0.24
    ["bedrock", "amazon.nova-lite-v1:0", KEY, 0.00000486],
    ["bedrock", "amazon.nova-lite-v1:0", AWS, 0.00000486],
  ] as const)("%s", async (provider, model, apiKey, cost) => {
    await fake.reset();
    const answer = await optimizerWith({ provider, apiKey }).optimize({
      ...QUESTION,
      model,
      maxTokens: 100,
      tags: [provider],
    });
    expect(answer).toMatchObject({ provider, cost, optimizations: [] });
    expect(answer.text).toContain("Every call has its price");
    const [bill] = await fake.ledger();
    expect(answer.usage).toEqual({
      promptTokens: bill?.usage.input_tokens,
      completionTokens: bill?.usage.output_tokens,
      totalTokens: (bill?.usage.input_tokens ?? 0) + (bill?.usage.output_tokens ?? 0),
    });
    expect(await tracker.send("GET", `/api/usage/${answer.id}`)).toMatchObject({ cost, tags: [provider] });
  });
});

describe("failing", () => {
  test("what the provider refuses is thrown, and recorded as free", async () => {
    const optimizer = optimizerWith({ apiKey: "wrong" });
    const refused = optimizer.optimize({ ...QUESTION, model: "gpt-4o-mini" });
    await expect(refused).rejects.toMatchObject({ name: "ProviderError", status: 401 });
    await expect(refused).rejects.toBeInstanceOf(ProviderError);
    await optimizer.close();
    expect((await tracker.records()).at(-1)).toMatchObject({ errorCode: "401", cost: 0 });
  });

  test("a tracker that is not there costs the caller the cost only", async () => {
    const problems: string[] = [];
    const dashboardConfig = { baseUrl: "http://127.0.0.1:1/api", apiKey: "aict_x" };
    const queue = { closeMs: 50 };
    const optimizer = optimizerWith({ dashboardConfig, queue, onProblem: (problem) => problems.push(problem) });
    const answer = await optimizer.optimize({ ...QUESTION, model: "gpt-4o-mini", optimizations: true });
    expect(answer).toMatchObject({ id: null, cost: null, usage: { promptTokens: 17 } });
    await optimizer.close();
    expect(optimizer.stats).toMatchObject({ dropped: 1 });
    expect(problems).toHaveLength(2);
  });

  test("a tracker that hangs is waited for so long and no longer", async () => {
    const hanging = (input: unknown, init?: RequestInit) =>
      String(input).startsWith(fake.url) ? fetch(String(input), init) : new Promise<Response>(() => {});
    const optimizer = optimizerWith({ fetch: hanging, costWaitMs: 20, queue: { closeMs: 1 }, onProblem: () => {} });
    const answer = await optimizer.optimize({ ...QUESTION, model: "gpt-4o-mini" });
    expect(answer.cost).toBeNull();
    await optimizer.close();
  });

  test("nothing is told to the tracker when usage is not tracked", async () => {
    const before = (await tracker.records()).length;
    const optimizer = optimizerWith({ trackUsage: false });
    const answer = await optimizer.optimize({ ...QUESTION, model: "gpt-4o-mini", optimizations: true });
    expect(answer).toMatchObject({ id: null, cost: null });
    expect((await tracker.records()).length).toBe(before);
  });
});

test("through the gateway, its record is the record", async () => {
  await tracker.send("POST", "/api/user/api-keys", { service: "openai", key: KEY });
  const before = (await tracker.records()).length;
  const optimizer = optimizerWith({ apiKey: tracker.key, providerUrl: `${tracker.url}/gateway/openai/v1` });
  const answer = await optimizer.optimize({ ...QUESTION, model: "gpt-4o-mini" });
  expect(answer.cost).toBe(0.00001215);
  expect(answer.id).toMatch(/^[0-9a-f]{24}$/);
  await optimizer.close();
  // It is written a moment after its reply.
  await expect.poll(async () => (await tracker.records()).length).toBe(before + 1);
  expect((await tracker.records()).at(-1)).toMatchObject({ id: answer.id, origin: "gateway" });
});

describe("optimizing", () => {
  const PARAGRAPH = "A long paragraph about the price of things, which is repeated word by word for no reason at all.";

  test("says what was changed and what it saved, and suggests a cheaper model", async () => {
    const optimizer = optimizerWith({ optimizations: true });
    const answer = await optimizer.optimize({
      model: "gpt-4",
      context: [`${PARAGRAPH}   `, PARAGRAPH],
      prompt: "Say\n\n\n\nsomething   short",
    });
    const [order, whitespace, duplicates, cheaper] = answer.optimizations;
    expect(order).toEqual({ type: "cacheOrder", applied: true, charactersSaved: 0 });
    expect(whitespace).toMatchObject({ type: "whitespace", applied: true, charactersSaved: 7 });
    expect(duplicates).toMatchObject({ type: "duplicates", applied: true });
    expect(duplicates?.tokensSaved).toBeGreaterThan(10);
    // gpt-4: 30 dollars a million.
    expect(duplicates?.costSaved).toBeCloseTo((duplicates?.tokensSaved ?? 0) * 0.00003, 9);
    expect(cheaper).toMatchObject({ type: "cheaperModel", applied: false, model: expect.stringMatching(/^gpt-/) });
    const sent = JSON.parse((await fake.requests()).at(-1)?.body as string);
    expect(sent.messages).toEqual([{ role: "user", content: `${PARAGRAPH}\n\nSay\n\nsomething short` }]);
  });

  test("a cheaper model among those that were named", async () => {
    const cheaperModel = ["gpt-4o", "gpt-4.1-mini", "o1"];
    const answer = await optimizerWith({}).optimize({ ...QUESTION, model: "gpt-4", optimizations: { cheaperModel } });
    // 17 × 30 + 16 × 60 against 17 × 0.40 + 16 × 1.60
    expect(answer.optimizations).toEqual([
      { type: "cheaperModel", applied: false, model: "gpt-4.1-mini", costSaved: 0.0014376 },
    ]);
  });

  const changed = (prompt: string, wanted: Parameters<typeof prepare>[1]) =>
    prepare({ prompt }, wanted).messages[0]?.content;

  test.each([
    ["blanks at the ends of lines", "a  \nb\t\n", "a\nb"],
    ["runs of blanks", "a    b", "a b"],
    ["runs of empty lines", "a\n\n\n\nb", "a\n\nb"],
    ["indentation stays", "if a:\n    b", "if a:\n    b"],
    ["code stays", "x   y\n\n```\na    b\n\n\n\nc  \n```\n\n\n\nz", "x y\n\n```\na    b\n\n\n\nc  \n```\n\nz"],
  ])("whitespace: %s", (_, before, after) => {
    expect(changed(before, { whitespace: true })).toBe(after);
  });

  test.each([
    ["a long paragraph", `${PARAGRAPH}\n\nand\n\n${PARAGRAPH}`, `${PARAGRAPH}\n\nand`],
    ["short ones stay", "yes\n\nno\n\nyes", "yes\n\nno\n\nyes"],
    [
      "a block of code is one piece",
      `\`\`\`\n${PARAGRAPH}\n\n${PARAGRAPH}\n\`\`\``,
      `\`\`\`\n${PARAGRAPH}\n\n${PARAGRAPH}\n\`\`\``,
    ],
  ])("duplicates: %s", (_, before, after) => {
    expect(changed(before, { duplicates: true })).toBe(after);
  });

  test("cache order: system first, context in a fixed order, the question last", () => {
    const prompt = {
      messages: [
        { role: "user" as const, content: "Hi" },
        { role: "system" as const, content: "Be brief." },
      ],
      context: ["second", "first"],
      prompt: "Why?",
    };
    expect(prepare(prompt, { cacheOrder: true }).messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
      { role: "user", content: "first\n\nsecond\n\nWhy?" },
    ]);
    expect(prepare(prompt, {}).messages.at(-1)?.content).toBe("second\n\nfirst\n\nWhy?");
  });
});

describe("asking the tracker", () => {
  test("track, import, estimate, analytics, comparison, budget", async () => {
    const optimizer = optimizerWith({});
    const call = {
      service: "openai",
      model: "gpt-4",
      promptTokens: 25,
      completionTokens: 150,
      cost: 0.0035,
      requestId: "one",
    };
    expect(await optimizer.trackUsage(call)).toMatchObject({ cost: 0.0035, costSource: "reported", duplicate: false });
    expect(await optimizer.trackUsage(call)).toMatchObject({ duplicate: true });
    const many = Array.from({ length: 1_201 }, (_, index) => ({
      model: index === 1_100 ? "" : "gpt-4o-mini",
      tokens: 1,
      cost: 0,
    }));
    const outcome = await optimizer.bulkImport(many);
    expect(outcome).toMatchObject({ successful: 1_200, failed: 1, errors: [{ index: 1_100, code: "invalid_input" }] });
    expect(outcome.results).toHaveLength(1_200);
    expect((await optimizer.estimate({ model: "gpt-4", promptTokens: 1000, completionTokens: 0 })).cost).toBe(0.03);
    const analytics = await optimizer.getProjectAnalytics(tracker.project, {
      groupBy: "day",
      tags: ["openai", "google"],
    });
    expect(analytics.summary.totalRequests).toBe(2);
    const other = await tracker.send("POST", "/api/projects", { name: "Other" });
    const comparison = await optimizer.compareProjects([tracker.project, other.id]);
    expect(comparison.projects.map((project) => project.name)).toEqual(["SDK", "Other"]);
    const budget = await optimizer.getBudgetStatus(tracker.project);
    expect(budget).toMatchObject({ projectId: tracker.project });
  });

  test("what the tracker refuses has its code", async () => {
    const wrong = optimizerWith({}).getProjectAnalytics("0".repeat(24));
    await expect(wrong).rejects.toMatchObject({ name: "TrackerError", status: 404, code: "project_not_found" });
  });
});
