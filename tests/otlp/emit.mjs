// Makes calls through a client in JavaScript and exports what is said of them:
//     node emit.mjs EMITTER UPSTREAM TRACES_ENDPOINT [HEADERS]
// EMITTER is one of those below; clients and instrumentations are found from the working directory.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const { NodeTracerProvider, BatchSpanProcessor } = await load("@opentelemetry/sdk-trace-node");
const { OTLPTraceExporter } = await load("@opentelemetry/exporter-trace-otlp-http");
const { resourceFromAttributes } = await load("@opentelemetry/resources");

const [emitter, upstream, url, ...headers] = process.argv.slice(2);
const exporter = new OTLPTraceExporter({ url, headers: Object.fromEntries(headers.map((header) => header.split("="))) });
const resource = resourceFromAttributes({ "service.name": "checkout" });
const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
provider.register();

const usage = { "x-fake-usage": "input=1000,output=200,cached=600,reasoning=50" };
const prompt = "What does a call cost?";

async function callAiSdk5() {
    const { embed, generateText, streamText } = await load("ai");
    const metadata = { userId: "user-7", sessionId: "session-7", plan: "gold" };
    const telemetry = { experimental_telemetry: { isEnabled: true, functionId: "quote", metadata } };
    const common = { prompt, ...telemetry };
    if (emitter === "ai5-openai") {
        const { createOpenAI } = await load("@ai-sdk/openai");
        const openai = createOpenAI({ baseURL: `${upstream}/v1`, apiKey: "sk-upstream", headers: usage });
        await generateText({ ...common, model: openai.chat("gpt-4o-mini") });
        await streamText({ ...common, model: openai.chat("gpt-4o-mini") }).consumeStream();
        const plain = createOpenAI({ baseURL: `${upstream}/v1`, apiKey: "sk-upstream" });
        // Vectors are long.
        const brief = { experimental_telemetry: { ...telemetry.experimental_telemetry, recordOutputs: false } };
        await embed({ ...brief, model: plain.textEmbeddingModel("text-embedding-3-small"), value: "a call" });
    } else {
        const { createAnthropic } = await load("@ai-sdk/anthropic");
        const headers = { "x-fake-usage": "input=100,output=200,cached=600,written=300,written-1h=100" };
        const anthropic = createAnthropic({ baseURL: `${upstream}/v1`, apiKey: "sk-upstream", headers });
        await generateText({ ...common, model: anthropic("claude-sonnet-4-5") });
        await streamText({ ...common, model: anthropic("claude-sonnet-4-5") }).consumeStream();
    }
}

async function callAiSdk7() {
    const { generateText, streamText, registerTelemetry } = await load("ai");
    const { OpenTelemetry } = await load("@ai-sdk/otel");
    const { createOpenAI } = await load("@ai-sdk/openai");
    registerTelemetry(new OpenTelemetry({ tracer: provider.getTracer("gen_ai") }));
    const openai = createOpenAI({ baseURL: `${upstream}/v1`, apiKey: "sk-upstream", headers: usage });
    const common = { prompt, telemetry: { isEnabled: true, functionId: "quote" } };
    await generateText({ ...common, model: openai.chat("gpt-4o-mini") });
    await streamText({ ...common, model: openai.chat("gpt-4o-mini") }).consumeStream();
}

async function callOpenAi(instrumentation) {
    const OpenAI = require("openai");
    instrumentation.setTracerProvider(provider);
    instrumentation.setMeterProvider(require("@opentelemetry/api").metrics.getMeterProvider());
    (instrumentation.manuallyInstrument ?? (() => {})).call(instrumentation, OpenAI.OpenAI);
    const client = new OpenAI.OpenAI({ baseURL: `${upstream}/v1`, apiKey: "sk-upstream", defaultHeaders: usage });
    const messages = [{ role: "user", content: prompt }];
    await client.chat.completions.create({ model: "gpt-4o-mini", messages });
    const options = { stream: true, stream_options: { include_usage: true } };
    const stream = await client.chat.completions.create({ model: "gpt-4o-mini", messages, ...options });
    for await (const _ of stream);
}

const EMITTERS = {
    "ai5-openai": callAiSdk5,
    "ai5-anthropic": callAiSdk5,
    "ai7-openai": callAiSdk7,
    "otel-js-openai": () => callOpenAi(new (require("@opentelemetry/instrumentation-openai").OpenAIInstrumentation)()),
    "traceloop-js-openai": () => callOpenAi(new (require("@traceloop/instrumentation-openai").OpenAIInstrumentation)()),
    "openinference-js-openai": () =>
        callOpenAi(new (require("@arizeai/openinference-instrumentation-openai").OpenAIInstrumentation)()),
};
await EMITTERS[emitter]();
await provider.shutdown();
