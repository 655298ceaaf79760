import type { Schemas } from "@/api/client";

/** How people are told. */
export const ALERT_KINDS: Record<Schemas["AlertKind"], string> = {
  "in-app": "on the list",
  email: "by e-mail",
  webhook: "by webhook",
  both: "by e-mail and webhook",
};
