import { type Example, lineOf } from "./filling";

/** What was called and counted is sent afterwards. */
export const TRACK: readonly Example[] = [
  {
    id: "curl",
    name: "curl",
    code: ({ baseUrl, apiKey, projectId }) => `curl "${baseUrl}/api/usage/track" \\
  -H "Authorization: Bearer ${apiKey}" \\
  -H "Content-Type: application/json" \\
  -d '{${lineOf(projectId, (id) => `    "projectId": "${id}",`)}
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
    code: ({ baseUrl, apiKey, projectId }) => `import { AICostOptimizer } from "ai-cost-optimizer";
import OpenAI from "openai";

const optimizer = new AICostOptimizer({${lineOf(projectId, (id) => `  defaultProjectId: "${id}",`)}
  dashboardConfig: { baseUrl: "${baseUrl}/api", apiKey: "${apiKey}" },
});

// Every call of this client is metered, streams included.
const openai = optimizer.observe(new OpenAI(), { tags: ["product"], costAllocation: { team: "content" } });

await openai.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Hello" }],
});
await optimizer.close();`,
  },
  {
    id: "python",
    name: "Python",
    code: ({ baseUrl, apiKey, projectId }) => `import anthropic, requests

message = anthropic.Anthropic().messages.create(
    model="claude-sonnet-4-5", max_tokens=200,
    messages=[{"role": "user", "content": "Hello"}],
)

requests.post(
    "${baseUrl}/api/usage/track",
    headers={"Authorization": "Bearer ${apiKey}"},
    json={${lineOf(projectId, (id) => `        "projectId": "${id}",`)}
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
    id: "rust",
    name: "Rust",
    code: ({ baseUrl, apiKey, projectId }) => `// reqwest = { version = "0.12", features = ["json"] }
let usage = serde_json::json!({${lineOf(projectId, (id) => `    "projectId": "${id}",`)}
    "service": "openai",
    "model": "gpt-4o-mini",
    "promptTokens": 1000,
    "completionTokens": 500,
    "requestId": reply.id, // sent twice, counted once
    "tags": ["product"],
});
reqwest::Client::new()
    .post("${baseUrl}/api/usage/track")
    .bearer_auth("${apiKey}")
    .json(&usage)
    .send()
    .await?
    .error_for_status()?;`,
  },
  {
    id: "bulk",
    name: "Many at once",
    code: ({ baseUrl, apiKey, projectId }) => `# One JSON object a line, of any size. A row that is wrong fails alone.
curl "${baseUrl}/api/usage/bulk" \\
  -H "Authorization: Bearer ${apiKey}" \\
  -H "Content-Type: application/x-ndjson" \\
  --data-binary @- <<'END'
{ "model": "gpt-4o-mini", "promptTokens": 900, "completionTokens": 120, "timestamp": "2026-01-15T10:30:00Z"${projectId ? `, "projectId": "${projectId}"` : ""} }
{ "model": "gpt-3.5-turbo", "tokens": 150, "cost": 0.002, "timestamp": "2026-01-15T10:31:00Z" }
END`,
  },
];
