// Ask a provider through the optimizer: the answer comes with its cost, and with what could be saved.
// Needs OPENAI_API_KEY, API_KEY (the tracker's address) and AICT_API_KEY (a tracker key).
import { AICostOptimizer } from "ai-cost-optimizer";

const optimizer = new AICostOptimizer({
  optimizations: { whitespace: true, cheaperModel: ["gpt-4.1-mini", "gpt-4o-mini"] },
});

const { text, cost, usage, optimizations } = await optimizer.optimize({
  model: "gpt-4",
  prompt: "Say   something    about the price of things",
  costAllocation: { department: "marketing" },
});
console.log(text);
console.log("tokens:", usage.totalTokens, "cost:", cost);
for (const { type, applied, model, costSaved } of optimizations) console.log(type, { applied, model, costSaved });

await optimizer.close();
