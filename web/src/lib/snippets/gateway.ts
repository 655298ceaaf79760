import { type Example, lineOf } from "./filling";

/** Official SDKs through the gateway: the base URL and the key change, nothing else. */
export const GATEWAY: readonly Example[] = [
  {
    id: "openai-python",
    name: "OpenAI, Python",
    code: ({ baseUrl, apiKey, projectId }) => `from openai import OpenAI

client = OpenAI(
    base_url="${baseUrl}/gateway/openai/v1",
    api_key="${apiKey}",
    default_headers={
        "X-Cost-Team": "content",${lineOf(projectId, (id) => `        "X-Project-Id": "${id}",`)}
    },
)

reply = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Hello"}],
)`,
  },
  {
    id: "openai-node",
    name: "OpenAI, TypeScript",
    code: ({ baseUrl, apiKey, projectId }) => `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "${baseUrl}/gateway/openai/v1",
  apiKey: "${apiKey}",
  defaultHeaders: {
    "X-Cost-Team": "content",${lineOf(projectId, (id) => `    "X-Project-Id": "${id}",`)}
  },
});

const reply = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Hello" }],
});`,
  },
  {
    id: "anthropic",
    name: "Anthropic",
    code: ({ baseUrl, apiKey, projectId }) => `import anthropic

client = anthropic.Anthropic(
    base_url="${baseUrl}/gateway/anthropic",
    api_key="${apiKey}",
    default_headers={
        "X-Cost-Team": "content",${lineOf(projectId, (id) => `        "X-Project-Id": "${id}",`)}
    },
)

message = client.messages.create(
    model="claude-sonnet-4-5",
    max_tokens=200,
    messages=[{"role": "user", "content": "Hello"}],
)`,
  },
  {
    id: "google",
    name: "Google",
    code: ({ baseUrl, apiKey, projectId }) => `from google import genai
from google.genai import types

client = genai.Client(
    api_key="${apiKey}",
    http_options=types.HttpOptions(
        base_url="${baseUrl}/gateway/google",
        headers={
            "X-Cost-Team": "content",${lineOf(projectId, (id) => `            "X-Project-Id": "${id}",`)}
        },
    ),
)

reply = client.models.generate_content(model="gemini-2.5-flash", contents="Hello")`,
  },
  {
    id: "bedrock",
    name: "Bedrock",
    code: ({ baseUrl, apiKey, projectId }) => `import boto3

client = boto3.client(
    "bedrock-runtime",
    region_name="us-east-1",
    endpoint_url="${baseUrl}/gateway/bedrock",
    aws_access_key_id="${apiKey}",  # the tracker key
    aws_secret_access_key="any",    # the gateway signs anew
)
${lineOf(
  projectId,
  (
    id,
  ) => `client.meta.events.register("before-call.bedrock-runtime", lambda params, **_: params["headers"].update({"X-Project-Id": "${id}"}))
`,
)}
reply = client.converse(
    modelId="amazon.nova-lite-v1:0",
    messages=[{"role": "user", "content": [{"text": "Hello"}]}],
)`,
  },
  {
    id: "gateway-curl",
    name: "curl",
    code: ({ baseUrl, apiKey, projectId }) => `curl "${baseUrl}/gateway/openai/v1/chat/completions" \\
  -H "Authorization: Bearer ${apiKey}" \\
  -H "Content-Type: application/json" \\${lineOf(projectId, (id) => `  -H "X-Project-Id: ${id}" \\`)}
  -d '{ "model": "gpt-4o-mini", "messages": [{ "role": "user", "content": "Hello" }] }'`,
  },
];
