// Makes calls through the AI SDK and exports what it says of them:
//     node emit.mjs EMITTER UPSTREAM TRACES_ENDPOINT [HEADERS]
// EMITTER is `ai5-openai` or `ai5-anthropic`; the SDK is found from the working directory.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const { embed, generateText, streamText } = await load("ai");
const { NodeTracerProvider, BatchSpanProcessor } = await load("@opentelemetry/sdk-trace-node");
const { OTLPTraceExporter } = await load("@opentelemetry/exporter-trace-otlp-http");
const { resourceFromAttributes } = await load("@opentelemetry/resources");

const [emitter, upstream, url, ...headers] = process.argv.slice(2);
const exporter = new OTLPTraceExporter({ url, headers: Object.fromEntries(headers.map((header) => header.split("="))) });
const resource = resourceFromAttributes({ "service.name": "checkout" });
const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
provider.register();

const metadata = { userId: "user-7", sessionId: "session-7", plan: "gold" };
const telemetry = { experimental_telemetry: { isEnabled: true, functionId: "quote", metadata } };
const common = { prompt: "What does a call cost?", ...telemetry };
if (emitter === "ai5-openai") {
    const { createOpenAI } = await load("@ai-sdk/openai");
    const usage = { "x-fake-usage": "input=1000,output=200,cached=600,reasoning=50" };
    const openai = createOpenAI({ baseURL: `${upstream}/v1`, apiKey: "sk-upstream", headers: usage });
    await generateText({ ...common, model: openai.chat("gpt-4o-mini") });
    await streamText({ ...common, model: openai.chat("gpt-4o-mini") }).consumeStream();
    const plain = createOpenAI({ baseURL: `${upstream}/v1`, apiKey: "sk-upstream" });
    // Vectors are long.
    const brief = { experimental_telemetry: { ...telemetry.experimental_telemetry, recordOutputs: false } };
    await embed({ ...brief, model: plain.textEmbeddingModel("text-embedding-3-small"), value: "a call" });
} else {
    const { createAnthropic } = await load("@ai-sdk/anthropic");
    const usage = { "x-fake-usage": "input=100,output=200,cached=600,written=300,written-1h=100" };
    const anthropic = createAnthropic({ baseURL: `${upstream}/v1`, apiKey: "sk-upstream", headers: usage });
    await generateText({ ...common, model: anthropic("claude-sonnet-4-5") });
    await streamText({ ...common, model: anthropic("claude-sonnet-4-5") }).consumeStream();
}
await provider.shutdown();
