// A route handler that streams an answer, with its call metered. The official client stays as it is.
// Needs OPENAI_API_KEY, API_KEY (the tracker's address: http://localhost:8000/api) and AICT_API_KEY (a tracker key).
import { AICostOptimizer } from "ai-cost-optimizer";
import type { NextRequest } from "next/server";
import OpenAI from "openai";

const optimizer = new AICostOptimizer();
const openai = optimizer.observe(new OpenAI(), { tags: ["nextjs"], costAllocation: { team: "web" } });

export async function POST(request: NextRequest): Promise<Response> {
  const { prompt } = (await request.json()) as { prompt?: unknown };
  if (typeof prompt !== "string") return Response.json({ error: "prompt must be text" }, { status: 422 });
  const stream = await openai.chat.completions.create({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: prompt }],
    stream: true,
  });
  return new Response(texts(stream).pipeThrough(new TextEncoderStream()), {
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}

function texts(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): ReadableStream<string> {
  const pieces = stream[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await pieces.next();
      if (!done) return controller.enqueue(value.choices[0]?.delta.content ?? "");
      // Where functions are frozen after their answer, what waits has to be sent before it ends.
      await optimizer.flush();
      controller.close();
    },
    // A reader that leaves ends the call; what was used until then is recorded.
    async cancel() {
      await pieces.return?.();
      await optimizer.flush();
    },
  });
}
