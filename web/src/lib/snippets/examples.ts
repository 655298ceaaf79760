import type { Example, Filling } from "./filling";
import { GATEWAY } from "./gateway";
import { TRACK } from "./track";

const OPENTELEMETRY: readonly Example[] = [
  {
    id: "otlp",
    name: "Any exporter",
    code: ({ baseUrl, apiKey }) => `# Spans that are calls of models become records; all others are taken and not kept.
# The key's own project is the project of its calls.
export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="${baseUrl}/v1/traces"
export OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="http/protobuf"
export OTEL_EXPORTER_OTLP_TRACES_HEADERS="x-api-key=${apiKey}"`,
  },
  {
    id: "collector",
    name: "Collector",
    code: ({ baseUrl, apiKey }) => `# All traces go where they went, and here as well.
exporters:
  otlphttp/costs:
    traces_endpoint: ${baseUrl}/v1/traces
    headers: { x-api-key: "${apiKey}" }
    compression: gzip
processors:
  batch: { send_batch_size: 512 }
service:
  pipelines:
    traces/costs:
      receivers: [otlp]
      processors: [batch]
      exporters: [otlphttp/costs]`,
  },
];

const ASK: readonly Example[] = [
  {
    id: "analytics",
    name: "Costs",
    code: ({ baseUrl, apiKey, projectId }) => `# What was spent, by day and model.
curl "${baseUrl}/api/analytics${projectId ? `/projects/${projectId}` : ""}?groupBy=day,model" \\
  -H "Authorization: Bearer ${apiKey}"`,
  },
  {
    id: "export",
    name: "Every record",
    code: ({ baseUrl, apiKey, projectId }) => `# csv, json, ndjson, parquet or focus
curl "${baseUrl}/api/usage/export?format=csv${projectId ? `&project=${projectId}` : ""}" \\
  -H "Authorization: Bearer ${apiKey}" -o usage.csv`,
  },
];

export type Way = { id: string; name: string; hint: string; examples: readonly Example[] };

/** The ways into the tracker, and out of it, each with its examples. */
export const WAYS: readonly Way[] = [
  {
    id: "gateway",
    name: "Change the base URL",
    hint: "Calls go through this server, which knows the provider's key. Budgets can hold them back.",
    examples: GATEWAY,
  },
  {
    id: "track",
    name: "Send what was used",
    hint: "Calls go to the provider as before; what they counted is sent here afterwards.",
    examples: TRACK,
  },
  { id: "traces", name: "OpenTelemetry", hint: "Programs that are traced already.", examples: OPENTELEMETRY },
  { id: "ask", name: "Ask for costs", hint: "The same figures as on these pages.", examples: ASK },
];

export const wayOf = (exampleId: string): Way | undefined =>
  WAYS.find(({ examples }) => examples.some(({ id }) => id === exampleId));

export const environmentOf = ({ baseUrl, apiKey, projectId }: Filling): string => `# Backend
JWT_SECRET=…                 # at least 32 bytes; generated on the first start when missing
ENCRYPTION_KEY=…             # at least 32 characters; the same

# Dashboard, when it is built to be served from elsewhere
VITE_API_URL=${baseUrl}
VITE_DEFAULT_PROJECT_ID=${projectId ?? "your-project-id"}

# Your programs
API_KEY=${baseUrl}/api
PROJECT_ID=${projectId ?? "your-project-id"}
AICT_API_KEY=${apiKey}`;
