import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, dataOf, pageOf, type Schemas } from "@/api/client";

export type WebhookView = Schemas["WebhookView"];
export type WebhookChange = Schemas["WebhookChange"];
export type DeliveryView = Schemas["DeliveryView"];
export type EventType = Schemas["EventType"];

export const EVENTS: Record<EventType, string> = {
  "budget.threshold_crossed": "A budget reached a threshold",
  "budget.exceeded": "A budget is used up",
  "cost.digest": "The digest of the week or the month",
  "price.missing": "A call has no price",
  "cost.anomaly": "A project costs much more than it used to",
  "key.added": "A key was added",
  "project.created": "A project was made",
  "member.added": "A person joined a project",
  "usage.tracked": "Calls were recorded",
  "webhook.test": "Somebody pressed the test button",
};

const path = (webhookId: string) => ({ params: { path: { webhookId } } });

/** One's own webhooks, or those of a project. */
export const webhooks = (projectId: string | undefined) =>
  queryOptions({
    queryKey: ["webhooks", projectId],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/webhooks", { params: { query: projectId ? { projectId } : {} }, signal })),
  });

const PAGE_ITEMS = 25;
/** A delivery that is under way is looked at until it has arrived. */
const POLL_MS = 3_000;

export const deliveries = (webhookId: string) =>
  infiniteQueryOptions({
    queryKey: ["deliveries", webhookId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      pageOf(
        api.GET("/api/webhooks/{webhookId}/deliveries", {
          params: { path: { webhookId }, query: { limit: PAGE_ITEMS, ...(cursor ? { cursor } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: ({ pagination }) => pagination.nextCursor ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some((item) => item.state === "waiting")) ? POLL_MS : false,
  });

export const createWebhook = (webhook: Schemas["NewWebhook"]) => dataOf(api.POST("/api/webhooks", { body: webhook }));
export const changeWebhook = (id: string, change: WebhookChange) =>
  dataOf(api.PATCH("/api/webhooks/{webhookId}", { ...path(id), body: change }));
export const deleteWebhook = (id: string) => dataOf(api.DELETE("/api/webhooks/{webhookId}", path(id)));
export const rotateSecret = (id: string) => dataOf(api.POST("/api/webhooks/{webhookId}/rotate-secret", path(id)));
export const testWebhook = (id: string) => dataOf(api.POST("/api/webhooks/{webhookId}/test", path(id)));
export const replayDelivery = (webhookId: string, deliveryId: string) =>
  dataOf(
    api.POST("/api/webhooks/{webhookId}/deliveries/{deliveryId}/replay", {
      params: { path: { webhookId, deliveryId } },
    }),
  );
