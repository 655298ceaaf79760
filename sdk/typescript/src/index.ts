export type { SendTexts } from "./call.js";
export type { Clock } from "./clock.js";
export { attribute } from "./context.js";
export type { Fetch } from "./fetch.js";
export {
  AICostOptimizer,
  type Attributing,
  type OptimizeRequest,
  type OptimizeResponse,
  ProviderError,
  type ReplyAttribution,
} from "./optimizer.js";
export type { AICostOptimizerOptions } from "./options.js";
export type { Optimizations } from "./prompt.js";
export type { Message, Provider, TokenCounts } from "./providers.js";
export type { QueueStats } from "./queue.js";
export type { Optimization } from "./savings.js";
export { AICostTrackerService, AnalyticsService } from "./services.js";
export type { AwsCredentials } from "./sigv4.js";
export { TrackerError } from "./tracker.js";
export type {
  Analytics,
  AnalyticsQuery,
  Attribution,
  BudgetStatus,
  BulkOutcome,
  Comparison,
  CostAllocation,
  Estimate,
  Price,
  Tracked,
  UsageRecord,
} from "./types.js";
