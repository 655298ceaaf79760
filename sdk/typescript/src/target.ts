/** Where a request goes: which provider, which kind of call, which model. */

import { isObject } from "./reply.js";

export interface Target {
  service: string;
  operation: string;
  model: string | undefined;
}

/** Ends of the paths that providers charge for, and the kind of call. */
const OPERATIONS: readonly (readonly [string, string])[] = [
  ["/chat/completions", "chat"],
  ["/completions", "text_completion"],
  ["/responses", "chat"],
  ["/messages", "chat"],
  ["/embeddings", "embeddings"],
  ["/embed", "embeddings"],
  ["/rerank", "rerank"],
  ["/chat", "chat"],
  ["/images/generations", "image_generation"],
  ["/images/edits", "image_generation"],
  ["/images/variations", "image_generation"],
  ["/audio/transcriptions", "transcription"],
  ["/audio/translations", "transcription"],
  ["/audio/speech", "speech"],
  ["/converse", "chat"],
  ["/converse-stream", "chat"],
  ["/invoke", "invoke_model"],
  ["/invoke-with-response-stream", "invoke_model"],
  [":generateContent", "generate_content"],
  [":streamGenerateContent", "generate_content"],
  [":embedContent", "embeddings"],
  [":batchEmbedContents", "embeddings"],
  [":predict", "predict"],
  [":rawPredict", "chat"],
  [":streamRawPredict", "chat"],
];

/** Ends of host names, and whose they are. */
const HOSTS: readonly (readonly [string, string])[] = [
  ["api.openai.com", "openai"],
  ["openai.azure.com", "azure"],
  ["services.ai.azure.com", "azure"],
  ["cognitiveservices.azure.com", "azure"],
  ["api.anthropic.com", "anthropic"],
  ["googleapis.com", "google"],
  ["amazonaws.com", "bedrock"],
  ["openrouter.ai", "openrouter"],
  ["api.deepseek.com", "deepseek"],
  ["api.x.ai", "xai"],
  ["api.groq.com", "groq"],
  ["api.mistral.ai", "mistral"],
  ["api.perplexity.ai", "perplexity"],
  ["api.cohere.com", "cohere"],
  ["api.together.xyz", "together"],
  ["api.moonshot.ai", "moonshotai"],
  ["api.fireworks.ai", "fireworks"],
  ["api.cerebras.ai", "cerebras"],
];

/** Who answers at this host; `otherwise` where it is not known. */
export function serviceAt(host: string, otherwise: string): string {
  return HOSTS.find(([end]) => host === end || host.endsWith(`.${end}`))?.[1] ?? otherwise;
}

/** What a POST to `url` is, or undefined if it is no call that is charged for. */
export function targetOf(url: URL, request: unknown, service: string): Target | undefined {
  const path = url.pathname.replace(/\/+$/, "");
  const operation = OPERATIONS.find(([end]) => path.endsWith(end))?.[1];
  if (operation === undefined) return undefined;
  const model = isObject(request) && typeof request.model === "string" ? request.model : modelIn(path);
  return { service, operation, model };
}

/** Gemini's and Vertex's `/models/{model}:verb`, Bedrock's `/model/{id}/verb`, Azure's `/deployments/{name}/`. */
function modelIn(path: string): string | undefined {
  const found = /\/(?:model|deployments)\/([^/]+)\//.exec(path) ?? /\/models\/([^:]+):/.exec(path);
  return found?.[1] === undefined ? undefined : decodeURIComponent(found[1]);
}
