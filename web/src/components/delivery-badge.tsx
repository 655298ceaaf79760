import type { Schemas } from "@/api/client";
import { Badge } from "./ui/states";

const STATES: Record<Schemas["DeliveryState"], { name: string; tone: "good" | "warn" | "bad" | "plain" }> = {
  delivered: { name: "delivered", tone: "good" },
  waiting: { name: "waiting", tone: "warn" },
  failed: { name: "failed", tone: "bad" },
  not_configured: { name: "no mail server", tone: "bad" },
};

/** How far something that is told has come. */
export function DeliveryBadge({ state }: { state: Schemas["DeliveryState"] }) {
  return <Badge tone={STATES[state].tone}>{STATES[state].name}</Badge>;
}
