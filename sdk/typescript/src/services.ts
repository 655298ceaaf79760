/** The integration guide's back-end services, over one client that is made as the environment says when it is first used. */

import { AICostOptimizer, type ReplyAttribution } from "./optimizer.js";
import type { Analytics, AnalyticsQuery, Tracked } from "./types.js";

let optimizer: AICostOptimizer | undefined;

function shared(): AICostOptimizer {
  optimizer ??= new AICostOptimizer();
  return optimizer;
}

export const AICostTrackerService = {
  /**
   * Records a request and the provider's whole reply to it, and waits for the tracker's word. A reply with an id counts once,
   * however often it is told. A `userId` that is an e-mail address is the record's user; any other is kept as
   * `metadata.userId`. Throws a `TrackerError`.
   */
  trackRequest(request: unknown, response: unknown, userId?: string, options: ReplyAttribution = {}): Promise<Tracked> {
    return shared().trackReply(request, response, { ...options, ...userOf(userId, options) });
  },
};

export const AnalyticsService = {
  /** What a project cost. Throws a `TrackerError`. */
  getProjectAnalytics(projectId: string, filters: AnalyticsQuery = {}): Promise<Analytics> {
    return shared().getProjectAnalytics(projectId, filters);
  },
};

function userOf(userId: string | undefined, { metadata }: ReplyAttribution): ReplyAttribution {
  if (userId === undefined || userId === "") return {};
  return userId.includes("@") ? { userEmail: userId } : { metadata: { userId, ...metadata } };
}
