// Meter an official client in place: every call, streams included, is recorded with what it cost.
// Needs OPENAI_API_KEY, API_KEY (the tracker's address: http://localhost:8000/api) and AICT_API_KEY (a tracker key).
import { AICostOptimizer } from "ai-cost-optimizer";
import OpenAI from "openai";

const optimizer = new AICostOptimizer();
const openai = optimizer.observe(new OpenAI(), { tags: ["example"], costAllocation: { team: "docs" } });

const stream = await openai.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Say something about the price of things" }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
process.stdout.write("\n");

// Sends what waits. Without it, a process that ends by itself does so, too.
await optimizer.close();
console.log("records sent:", optimizer.stats.sent);
