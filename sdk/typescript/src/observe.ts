/** Metering official clients in place. What a client is, is told by what it has; nothing is imported. */

import { type BedrockClient, isBedrock, observeBedrock } from "./bedrock.js";
import { type Fetch, leave, type Metering, meteredFetch } from "./fetch.js";

/** OpenAI's and Anthropic's clients, and those made from them, send everything through their `fetch`. */
interface FetchingClient {
  fetch: Fetch;
}

/** `@google/genai`: everything goes through its `apiClient`. */
interface GoogleClient {
  apiClient: {
    apiCall: (url: string, init: RequestInit, ...rest: unknown[]) => Promise<Response>;
    processStreamResponse?: (response: Response) => AsyncGenerator<unknown>;
  };
}

const observed = new WeakSet<object>();

/** Meters `client`, once. Throws a TypeError for what is no client that can be metered. */
export function observeClient(client: object, meteringFor: (service: string) => Metering): void {
  if (observed.has(client)) return;
  if (isBedrock(client)) observeBedrock(client as BedrockClient, meteringFor("bedrock"));
  else if (isGoogle(client)) observeGoogle(client, meteringFor("google"));
  else if (isFetching(client)) observeFetching(client, meteringFor);
  else throw new TypeError("observe() takes a client of OpenAI, Anthropic, Google GenAI or AWS's Bedrock runtime");
  observed.add(client);
}

const has = (client: object, key: string): boolean => key in client;

function isFetching(client: object): client is FetchingClient {
  return (
    typeof (client as Partial<FetchingClient>).fetch === "function" && (has(client, "chat") || has(client, "messages"))
  );
}

function observeFetching(client: FetchingClient, meteringFor: (service: string) => Metering): void {
  client.fetch = meteredFetch(client.fetch, meteringFor(has(client, "chat") ? "openai" : "anthropic"));
}

function isGoogle(client: object): client is GoogleClient {
  return typeof (client as Partial<GoogleClient>).apiClient?.apiCall === "function";
}

function observeGoogle(client: GoogleClient, metering: Metering): void {
  const api = client.apiClient;
  const apiCall = api.apiCall.bind(api);
  api.apiCall = (url, init, ...rest) => {
    // Its older versions say the method apart.
    const method = init.method ?? (typeof rest[0] === "string" ? rest[0] : "GET");
    return meteredFetch((_, sent) => apiCall(url, sent ?? init, ...rest), metering)(url, { ...init, method });
  };
  // Its streams are left without a word to the response.
  const process = api.processStreamResponse?.bind(api);
  if (!process) return;
  api.processStreamResponse = async function* (response) {
    try {
      yield* process(response);
    } finally {
      leave(response);
    }
  };
}
