// Import what was used before, and ask what a project cost.
// Needs API_KEY (the tracker's address), AICT_API_KEY (a tracker key) and PROJECT_ID.
import { AICostOptimizer } from "ai-cost-optimizer";

const optimizer = new AICostOptimizer();
const projectId = process.env.PROJECT_ID ?? "";

// The same requestId is the same record: the import can be run again.
const outcome = await optimizer.bulkImport([
  { requestId: "mail-1", model: "gpt-3.5-turbo", cost: 0.002, tokens: 150, timestamp: "2024-01-15T10:30:00Z" },
  {
    requestId: "mail-2",
    model: "gpt-4o-mini",
    promptTokens: 1000,
    completionTokens: 500,
    timestamp: "2024-08-02T08:00:00Z",
  },
]);
console.log("imported:", outcome.successful, "known before:", outcome.duplicates);

const { summary } = await optimizer.getProjectAnalytics(projectId, { startDate: "2024-01-01", endDate: "2024-12-31" });
console.log("total cost:", summary.totalCost);
