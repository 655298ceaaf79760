"""Makes one whole and one streamed call through an instrumented client and exports what the instrumentation says of it.

    emit.py EMITTER UPSTREAM TRACES_ENDPOINT [HEADERS]

HEADERS are those of the exporter, `name=value`, such as `x-api-key=aict_…`.
"""

import os
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

KEY = "sk-upstream"
PROMPT = [{"role": "user", "content": "What does a call cost?"}]
OPENAI_USAGE = {"x-fake-usage": "input=1000,output=200,cached=600,reasoning=50"}
ANTHROPIC_USAGE = {"x-fake-usage": "input=100,output=200,cached=600,written=300,written-1h=100"}


def call_openai(upstream):
    from openai import OpenAI

    client = OpenAI(base_url=f"{upstream}/v1", api_key=KEY, default_headers=OPENAI_USAGE)
    client.chat.completions.create(model="gpt-4o-mini", messages=PROMPT)
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=PROMPT, stream=True, stream_options={"include_usage": True}
    )
    list(stream)


def call_openai_blindly(upstream):
    from openai import OpenAI

    client = OpenAI(base_url=f"{upstream}/v1", api_key=KEY, default_headers=OPENAI_USAGE)
    list(client.chat.completions.create(model="gpt-4o-mini", messages=PROMPT, stream=True))


def embed_openai(upstream):
    from openai import OpenAI

    client = OpenAI(base_url=f"{upstream}/v1", api_key=KEY)
    client.embeddings.create(model="text-embedding-3-small", input="What does a call cost?")


def call_anthropic(upstream):
    from anthropic import Anthropic

    client = Anthropic(base_url=upstream, api_key=KEY, default_headers=ANTHROPIC_USAGE)
    client.messages.create(model="claude-sonnet-4-5", max_tokens=1000, messages=PROMPT)
    with client.messages.stream(model="claude-sonnet-4-5", max_tokens=1000, messages=PROMPT) as stream:
        stream.get_final_message()


def call_litellm(upstream):
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm
    from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig

    litellm.callbacks = [OpenTelemetry(config=OpenTelemetryConfig(exporter="console"), tracer_provider=provider)]
    base = {"api_key": KEY, "messages": PROMPT}
    openai = {"model": "openai/gpt-4o-mini", "api_base": f"{upstream}/v1", "extra_headers": OPENAI_USAGE}
    litellm.completion(**base, **openai)
    list(litellm.completion(**base, **openai, stream=True, stream_options={"include_usage": True}))
    import time

    time.sleep(2)  # its callbacks are on a thread of their own


def call_google(upstream):
    from google import genai

    usage = {"x-fake-usage": "input=1000,output=150,cached=600,thoughts=50"}
    client = genai.Client(api_key=KEY, http_options=genai.types.HttpOptions(base_url=upstream, headers=usage))
    client.models.generate_content(model="gemini-2.5-flash", contents="What does a call cost?")
    list(client.models.generate_content_stream(model="gemini-2.5-flash", contents="What does a call cost?"))


def call_pydantic_ai(upstream):
    from openai import AsyncOpenAI
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    client = AsyncOpenAI(base_url=f"{upstream}/v1", api_key=KEY, default_headers=OPENAI_USAGE)
    model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client))
    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
    agent = Agent(model, name="quote")
    agent.run_sync("What does a call cost?")


def call_langchain(upstream):
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(
        model="gpt-4o-mini", base_url=f"{upstream}/v1", api_key=KEY, default_headers=OPENAI_USAGE, stream_usage=True
    )
    model.invoke("What does a call cost?", config={"metadata": {"session_id": "session-7", "user_id": "user-7"}})
    list(model.stream("What does a call cost?"))


def instrument(*names):
    for name in names:
        if name == "genai-openai":
            from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor as Instrumentor
        elif name == "openai-v2":
            from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor as Instrumentor
        elif name == "traceloop-openai":
            from opentelemetry.instrumentation.openai import OpenAIInstrumentor as Instrumentor
        elif name == "openinference-openai":
            if emitter == "openinference-embedding":
                os.environ["OPENINFERENCE_HIDE_EMBEDDINGS_VECTORS"] = "true"  # they are long
                os.environ["OPENINFERENCE_HIDE_EMBEDDING_VECTORS"] = "true"
                os.environ["OPENINFERENCE_HIDE_OUTPUTS"] = "true"
            from openinference.instrumentation.openai import OpenAIInstrumentor as Instrumentor
        elif name == "traceloop-anthropic":
            from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor as Instrumentor
        elif name == "openinference-anthropic":
            from openinference.instrumentation.anthropic import AnthropicInstrumentor as Instrumentor
        elif name == "google-genai":
            from opentelemetry.instrumentation.google_genai import GoogleGenAiSdkInstrumentor as Instrumentor
        elif name == "traceloop-langchain":
            from opentelemetry.instrumentation.langchain import LangchainInstrumentor as Instrumentor
        elif name == "openinference-langchain":
            from openinference.instrumentation.langchain import LangChainInstrumentor as Instrumentor
        Instrumentor().instrument(tracer_provider=provider)


EMITTERS = {
    "genai-openai": (["genai-openai"], call_openai),
    "openai-v2": (["openai-v2"], call_openai),
    "traceloop-openai": (["traceloop-openai"], call_openai),
    "traceloop-openai-blind": (["traceloop-openai"], call_openai_blindly),
    "openinference-openai": (["openinference-openai"], call_openai),
    "openinference-embedding": (["openinference-openai"], embed_openai),
    "stacked-openai": (["genai-openai", "traceloop-openai", "openinference-openai"], call_openai),
    "anthropic-sdk": ([], call_anthropic),
    "traceloop-anthropic": (["traceloop-anthropic"], call_anthropic),
    "stacked-anthropic": (["openinference-anthropic", "traceloop-anthropic"], call_anthropic),
    "litellm": ([], call_litellm),
    "google-genai": (["google-genai"], call_google),
    "pydantic-ai": ([], call_pydantic_ai),
    "traceloop-langchain": (["traceloop-langchain"], call_langchain),
    "openinference-langchain": (["openinference-langchain"], call_langchain),
}

if __name__ == "__main__":
    emitter, upstream, endpoint, *headers = sys.argv[1:]
    instrumentations, call = EMITTERS[emitter]
    headers = dict(header.split("=", 1) for header in headers)
    provider = TracerProvider(resource=Resource({"service.name": "checkout", "deployment.environment.name": "test"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, headers=headers)))
    trace.set_tracer_provider(provider)
    instrument(*instrumentations)
    call(upstream)
    provider.shutdown()
