import { API_URL } from "@/api/session";

/** What a code example is filled in with. */
export type Filling = { baseUrl: string; apiKey: string; projectId: string | undefined };

export const serverUrl = (): string => API_URL || window.location.origin;

export type Example = { id: string; name: string; language: string; code: (filling: Filling) => string };

const project = (projectId: string | undefined, indent: string, quote = '"') =>
  projectId ? `\n${indent}${quote}projectId${quote}: "${projectId}",` : "";

/** Headers that say whom a call through the gateway is for. */
const gatewayHeaders = (projectId: string | undefined, quote: string): string =>
  projectId ? `${quote}X-Project-Id${quote}: "${projectId}", ` : "";

export const EXAMPLES: readonly Example[] = [
  {
    id: "gateway",
    name: "By base URL",
    language: "python",
    code: ({
      baseUrl,
      apiKey,
      projectId,
    }) => `# Store the provider's key under "Keys" once; then only the base URL and the key change.
from openai import OpenAI

client = OpenAI(
    base_url="${baseUrl}/gateway/openai/v1",
    api_key="${apiKey}",
    default_headers={${gatewayHeaders(projectId, '"')}"X-Cost-Team": "content"},
)

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Hello"}],
)

# anthropic.Anthropic(base_url="${baseUrl}/gateway/anthropic", api_key=…)
# genai.Client(http_options={"base_url": "${baseUrl}/gateway/google"}, api_key=…)
# boto3.client("bedrock-runtime", endpoint_url="${baseUrl}/gateway/bedrock")`,
  },
  {
    id: "curl",
    name: "curl",
    language: "shell",
    code: ({ baseUrl, apiKey, projectId }) => `curl "${baseUrl}/api/usage/track" \\
  -H "Authorization: Bearer ${apiKey}" \\
  -H "Content-Type: application/json" \\
  -d '{${project(projectId, "    ")}
    "service": "openai",
    "model": "gpt-4o-mini",
    "promptTokens": 1000,
    "completionTokens": 500,
    "costAllocation": { "department": "marketing", "team": "content" },
    "tags": ["product"]
  }'`,
  },
  {
    id: "typescript",
    name: "TypeScript",
    language: "typescript",
    code: ({ baseUrl, apiKey, projectId }) => `import OpenAI from "openai";

const completion = await new OpenAI().chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Hello" }],
});

// The provider's whole reply will do: model, tier, usage and id are read from it.
await fetch("${baseUrl}/api/usage/track", {
  method: "POST",
  headers: { Authorization: "Bearer ${apiKey}", "Content-Type": "application/json" },
  body: JSON.stringify({${project(projectId, "    ", "")}
    service: "openai",
    model: completion.model,
    response: completion,
    costAllocation: { department: "marketing", team: "content" },
    tags: ["product"],
  }),
});`,
  },
  {
    id: "python",
    name: "Python",
    language: "python",
    code: ({ baseUrl, apiKey, projectId }) => `import anthropic, requests

message = anthropic.Anthropic().messages.create(
    model="claude-sonnet-4-5", max_tokens=200,
    messages=[{"role": "user", "content": "Hello"}],
)

requests.post(
    "${baseUrl}/api/usage/track",
    headers={"Authorization": "Bearer ${apiKey}"},
    json={${project(projectId, "        ")}
        "service": "anthropic",
        "model": message.model,
        "usage": message.usage.model_dump(),  # the provider's own counts, as they are
        "requestId": message.id,              # sent twice, counted once
        "tags": ["product"],
    },
    timeout=5,
).raise_for_status()`,
  },
  {
    id: "bulk",
    name: "Many at once",
    language: "shell",
    code: ({ baseUrl, apiKey, projectId }) => `# One JSON object a line, of any size. A row that is wrong fails alone.
curl "${baseUrl}/api/usage/bulk" \\
  -H "Authorization: Bearer ${apiKey}" \\
  -H "Content-Type: application/x-ndjson" \\
  --data-binary @- <<'END'
{ "model": "gpt-4o-mini", "promptTokens": 900, "completionTokens": 120, "timestamp": "2026-01-15T10:30:00Z"${projectId ? `, "projectId": "${projectId}"` : ""} }
{ "model": "gpt-3.5-turbo", "tokens": 150, "cost": 0.002, "timestamp": "2026-01-15T10:31:00Z" }
END`,
  },
  {
    id: "analytics",
    name: "Ask for costs",
    language: "shell",
    code: ({ baseUrl, apiKey, projectId }) => `# What was spent, by day and model.
curl "${baseUrl}/api/analytics${projectId ? `/projects/${projectId}` : ""}?groupBy=day,model" \\
  -H "Authorization: Bearer ${apiKey}"

# Every record as a table.
curl "${baseUrl}/api/usage/export?format=csv${projectId ? `&project=${projectId}` : ""}" \\
  -H "Authorization: Bearer ${apiKey}" -o usage.csv`,
  },
];

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
