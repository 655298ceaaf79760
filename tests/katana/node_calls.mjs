// Cost Katana's client for Node, unchanged: node_calls.mjs {logs|track|ask} ADDRESS
import katana from "cost-katana";

const { AICostTracker, AILogger, createDefaultTrackerConfig } = katana;
const [what, address] = process.argv.slice(2);
const LOGGED = 60;
const TRIES_MAX = 5;

const metadata = (index) => ({
  provider: "openai",
  model: "gpt-4o-mini",
  promptTokens: 2000 + index,
  completionTokens: 700 + index,
  prompt: "What does it cost?",
  completion: "Less than you think.",
  responseTime: 640,
  tags: ["katana"],
});

async function logs() {
  const logger = new AILogger({ baseUrl: address });
  for (let index = 0; index < LOGGED; index += 1) {
    await logger.logAICall({
      service: "openai",
      operation: "chat_completion",
      aiModel: "gpt-4o-mini",
      statusCode: 200,
      responseTime: 820,
      inputTokens: 1000 + index,
      outputTokens: 500 - index,
    });
  }
  await logger.logTemplateUsage("t1", "Greeting", { name: "Ada" });
  for (let tries = 0; logger.getBufferSize() > 0 && tries < TRIES_MAX; tries += 1) await logger.flush();
  return logger.getBufferSize();
}

async function tracker() {
  return AICostTracker.create(createDefaultTrackerConfig({ apiUrl: `${address}/api` }));
}

// As published it tells of every request, of that telling too, and so never ends: whoever started this ends it.
async function track() {
  await (await tracker()).trackUsage(metadata(0));
  return "settled";
}

// Without that, as the guide says.
async function ask() {
  const asking = await tracker();
  asking.apiClient.interceptors.response.clear();
  await asking.trackUsage(metadata(1));
  return (await asking.getAnalytics()).data.summary;
}

console.log(`RESULT ${JSON.stringify(await { logs, track, ask }[what]())}`);
process.exit(0);
