"""Official clients, metered in place: what the tracker recorded is what the provider billed."""

import asyncio
import io
import json
from decimal import Decimal

import anthropic
import boto3
import botocore.config
import botocore.exceptions
import httpx
import openai
import pytest
from google import genai
from google.genai import types
from servers import AWS_ACCESS_KEY, AWS_SECRET_KEY, KEY, PATIENT

from ai_cost_tracker import AICostOptimizer, AsyncAICostOptimizer

PROMPT = "Say something about the price of things"
MESSAGES = [{"role": "user", "content": PROMPT}]
CHAT = {"model": "gpt-4o-mini", "messages": MESSAGES}
ASK = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": MESSAGES}
GEMINI = {"model": "gemini-2.5-flash", "contents": PROMPT}
CONVERSE = {"modelId": "amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": [{"text": PROMPT}]}]}
INVOKE = {
    "modelId": "anthropic.claude-3-haiku-20240307-v1:0",
    "body": json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": MESSAGES}),
}
ATTRIBUTION = {"tags": ["sdk"], "cost_allocation": {"team": "evals"}}


class Metered:
    """Clients of the fake, metered for the tracker, and the records that they leave."""

    def __init__(self, fake, tracker):
        self.fake, self.tracker = fake, tracker
        said = {"dashboard_config": tracker.config, "default_project_id": tracker.project}
        self.optimizer = AICostOptimizer(**said, **PATIENT)
        self.seen = len(tracker.records())
        self.held = []

    def observe(self, client):
        return self.optimizer.observe(client, ATTRIBUTION)

    def openai(self, kind=openai.OpenAI, **options):
        return self.observe(kind(api_key=KEY, base_url=f"{self.fake.url}/v1", max_retries=0, **options))

    def anthropic(self, kind=anthropic.Anthropic):
        return self.observe(kind(api_key=KEY, base_url=self.fake.url, max_retries=0))

    def google(self, **headers):
        options = types.HttpOptions(base_url=self.fake.url, headers=headers)
        # A client that nobody holds closes its connections.
        self.held.append(genai.Client(api_key=KEY, vertexai=False, http_options=options))
        return self.observe(self.held[-1])

    def bedrock(self, **headers):
        client = boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=self.fake.url,
            aws_access_key_id=AWS_ACCESS_KEY,
            aws_secret_access_key=AWS_SECRET_KEY,
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )

        def add(request, **_):
            for name, value in headers.items():
                request.headers[name] = value

        client.meta.events.register("before-sign.bedrock-runtime.*", add)
        return self.observe(client)

    def recorded(self):
        self.optimizer.flush()
        records = self.tracker.records()
        fresh, self.seen = records[self.seen :], len(records)
        return fresh


@pytest.fixture
def metered(fake, tracker):
    fake.reset()
    clients = Metered(fake, tracker)
    yield clients
    clients.optimizer.close()


async def gathered(stream):
    return [item async for item in stream]


async def async_openai_stream(m):
    client = m.openai(openai.AsyncOpenAI)
    return await gathered(await client.chat.completions.create(**CHAT, stream=True))


async def async_anthropic_stream(m):
    async with m.anthropic(anthropic.AsyncAnthropic).messages.stream(**ASK) as stream:
        return await stream.get_final_message()


async def async_google_stream(m):
    return await gathered(await m.google().aio.models.generate_content_stream(**GEMINI))


def openai_helper(m):
    with m.openai().chat.completions.stream(**CHAT) as stream:
        return stream.get_final_completion()


def anthropic_helper(m):
    with m.anthropic().messages.stream(**ASK) as stream:
        return stream.get_final_message()


def anthropic_cached(m):
    system = [
        {"type": "text", "text": "A long text.", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "A longer text.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]
    return m.anthropic().messages.create(**ASK, system=system)


def transcribed(m):
    file = ("speech.wav", io.BytesIO(bytes(2004)), "audio/wav")
    return m.openai().audio.transcriptions.create(model="whisper-1", file=file)


# What each call costs, from the providers' public price lists (US dollars per million tokens), by hand. The fake counts
# the words of the prompt and 8 more as input, and answers 16 words.
CALLS = {
    # gpt-4o-mini: 0.15 in, 0.60 out. 15 × 0.15 + 16 × 0.60 = 11.85
    "openai_chat": ("0.00001185", lambda m: m.openai().chat.completions.create(**CHAT)),
    "openai_chat_stream": ("0.00001185", lambda m: list(m.openai().chat.completions.create(**CHAT, stream=True))),
    "openai_chat_stream_with_usage": (
        "0.00001185",
        lambda m: list(m.openai().chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})),
    ),
    "openai_chat_helper": ("0.00001185", openai_helper),
    "openai_chat_parse": ("0.00001185", lambda m: m.openai().chat.completions.parse(**CHAT)),
    "openai_chat_raw": ("0.00001185", lambda m: m.openai().chat.completions.with_raw_response.create(**CHAT)),
    "openai_other_options": (
        "0.00001185",
        lambda m: m.openai().with_options(timeout=9).chat.completions.create(**CHAT),
    ),
    "openai_gzip": (
        "0.00001185",
        lambda m: m.openai().chat.completions.create(**CHAT, extra_headers={"x-fake": "gzip"}),
    ),
    "openai_gzip_stream": (
        "0.00001185",
        lambda m: list(m.openai().chat.completions.create(**CHAT, stream=True, extra_headers={"x-fake": "gzip"})),
    ),
    "openai_bytes": (
        "0.00001185",
        lambda m: list(
            m.openai().chat.completions.create(**CHAT, stream=True, extra_headers={"x-fake": "byte-at-a-time"})
        ),
    ),
    "openai_async": (
        "0.00001185",
        lambda m: asyncio.run(m.openai(openai.AsyncOpenAI).chat.completions.create(**CHAT)),
    ),
    "openai_async_stream": ("0.00001185", lambda m: asyncio.run(async_openai_stream(m))),
    # gpt-4.1-mini: 0.40 in, 1.60 out. 15 × 0.40 + 16 × 1.60 = 31.6
    "openai_responses": ("0.0000316", lambda m: m.openai().responses.create(model="gpt-4.1-mini", input=PROMPT)),
    "openai_responses_stream": (
        "0.0000316",
        lambda m: list(m.openai().responses.create(model="gpt-4.1-mini", input=PROMPT, stream=True)),
    ),
    # text-embedding-3-small: 0.02. 9 × 0.02 = 0.18
    "openai_embeddings": (
        "0.00000018",
        lambda m: m.openai().embeddings.create(model="text-embedding-3-small", input=[PROMPT, "and more"]),
    ),
    # whisper-1: 0.006 a minute, 9 s
    "openai_transcription": ("0.0009", transcribed),
    # Claude Haiku 4.5: 1 in, 5 out; written to the cache 1.25 (5 minutes) or 2 (an hour). 15 × 1 + 16 × 5 = 95
    "anthropic_messages": ("0.000095", lambda m: m.anthropic().messages.create(**ASK)),
    "anthropic_stream": ("0.000095", lambda m: list(m.anthropic().messages.create(**ASK, stream=True))),
    "anthropic_helper": ("0.000095", anthropic_helper),
    "anthropic_async_stream": ("0.000095", lambda m: asyncio.run(async_anthropic_stream(m))),
    # 21 × 1 + 1024 × 1.25 + 1024 × 2 + 16 × 5 = 3429
    "anthropic_cached": ("0.003429", anthropic_cached),
    # Gemini 2.5 Flash: 0.30 in, 2.50 out, thoughts included. 15 × 0.30 + (16 + 5) × 2.50 = 57
    "google_generate": ("0.000057", lambda m: m.google().models.generate_content(**GEMINI)),
    "google_stream": ("0.000057", lambda m: list(m.google().models.generate_content_stream(**GEMINI))),
    "google_chat": ("0.000057", lambda m: m.google().chats.create(model=GEMINI["model"]).send_message(PROMPT)),
    "google_async": ("0.000057", lambda m: asyncio.run(m.google().aio.models.generate_content(**GEMINI))),
    "google_async_stream": ("0.000057", lambda m: asyncio.run(async_google_stream(m))),
    # gemini-embedding-001: 0.15. 9 × 0.15 = 1.35
    "google_embed": (
        "0.00000135",
        lambda m: m.google().models.embed_content(model="gemini-embedding-001", contents=[PROMPT, "and more"]),
    ),
    # Amazon Nova Lite: 0.06 in, 0.24 out. 15 × 0.06 + 16 × 0.24 = 4.74
    "bedrock_converse": ("0.00000474", lambda m: m.bedrock().converse(**CONVERSE)),
    "bedrock_converse_stream": ("0.00000474", lambda m: list(m.bedrock().converse_stream(**CONVERSE)["stream"])),
    # Claude 3 Haiku: 0.25 in, 1.25 out. 15 × 0.25 + 16 × 1.25 = 23.75
    "bedrock_invoke": ("0.00002375", lambda m: m.bedrock().invoke_model(**INVOKE)["body"].read()),
    "bedrock_invoke_in_pieces": (
        "0.00002375",
        lambda m: list(m.bedrock().invoke_model(**INVOKE)["body"].iter_chunks(7)),
    ),
    "bedrock_invoke_stream": (
        "0.00002375",
        lambda m: list(m.bedrock().invoke_model_with_response_stream(**INVOKE)["body"]),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_the_provider_billed_is_what_is_recorded(name, metered):
    cost, call = CALLS[name]
    assert call(metered)
    [record] = metered.recorded()
    [bill] = metered.fake.ledger()
    billed = {unit: count for unit, count in bill["usage"].items() if count and unit.endswith("_tokens")}
    assert {unit: record["usage"][unit] for unit in billed} == billed
    assert bill["model"] in (record["model"], record["responseModel"])
    assert record["cost"] == Decimal(cost)
    assert (record["costSource"], record["status"]) == ("catalog", "success")
    assert (record["tags"], record["costAllocation"]["team"]) == (["sdk"], "evals")
    assert record["projectId"] == metered.tracker.project


@pytest.mark.parametrize(
    ("path", "body", "cost"),
    [
        ("amazon.nova-lite-v1:0/converse-stream", json.dumps(CONVERSE), "0.00000474"),
        (f"{INVOKE['modelId']}/invoke-with-response-stream", INVOKE["body"], "0.00002375"),
    ],
)
def test_bedrocks_streams_through_another_client_than_boto3(path, body, cost, metered):
    client = openai.OpenAI(api_key=KEY, base_url=metered.fake.url, max_retries=0)
    metered.optimizer.observe(client, service="bedrock")
    options = {"headers": {"x-fake": "byte-at-a-time"}}
    reply = client.post(f"/model/{path}", body=json.loads(body), cast_to=httpx.Response, options=options)
    assert len(reply.content) > 500
    [record] = metered.recorded()
    assert (record["cost"], record["costSource"]) == (Decimal(cost), "catalog")


def plain(chunks):
    return [{**chunk.model_dump(), "id": None} for chunk in chunks]


def test_a_stream_that_was_not_asked_for_its_usage_tells_none(metered):
    bare = openai.OpenAI(api_key=KEY, base_url=f"{metered.fake.url}/v1", max_retries=0)
    assert plain(metered.openai().chat.completions.create(**CHAT, stream=True)) == plain(
        bare.chat.completions.create(**CHAT, stream=True)
    )


def test_refusals_are_raised_as_they_are_and_recorded_as_free(metered):
    refused = {"x-fake": "status=429"}
    with pytest.raises(openai.RateLimitError):
        metered.openai().chat.completions.create(**CHAT, extra_headers=refused)
    with pytest.raises(anthropic.RateLimitError):
        metered.anthropic().messages.create(**ASK, extra_headers=refused)
    with pytest.raises(genai.errors.ClientError):
        metered.google(**refused).models.generate_content(**GEMINI)
    with pytest.raises(botocore.exceptions.ClientError):
        metered.bedrock(**refused).converse(**CONVERSE)
    records = metered.recorded()
    assert [(record["errorCode"], record["cost"]) for record in records] == [("429", 0)] * 4
    assert all(record["errorMessage"] for record in records)
    assert metered.fake.ledger() == []


def test_a_provider_that_is_not_there_is_an_error_of_the_callers_and_free(metered):
    client = metered.observe(openai.OpenAI(api_key=KEY, base_url="http://127.0.0.1:1/v1", max_retries=0))
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**CHAT)
    [record] = metered.recorded()
    assert (record["errorCode"], record["cost"]) == ("unreachable", 0)


STALLS = {"x-fake": "stall-after=2"}


def left_openai(m):
    with m.openai().chat.completions.create(**CHAT, stream=True, extra_headers=STALLS) as stream:
        next(iter(stream))


def left_anthropic(m):
    with m.anthropic().messages.create(**ASK, stream=True, extra_headers=STALLS) as stream:
        next(iter(stream))


def left_google(m):
    stream = m.google(**STALLS).models.generate_content_stream(**GEMINI)
    next(stream)
    stream.close()


def left_bedrock(m):
    stream = m.bedrock().converse_stream(**CONVERSE)["stream"]
    next(iter(stream))
    stream.close()


async def left_async(m):
    async with await m.openai(openai.AsyncOpenAI).chat.completions.create(
        **CHAT, stream=True, extra_headers=STALLS
    ) as stream:
        await anext(aiter(stream))


@pytest.mark.parametrize(
    ("call", "source"),
    [
        # Its tokens are estimated, and the record says so.
        (left_openai, "estimated"),
        (lambda m: asyncio.run(left_async(m)), "estimated"),
        (left_bedrock, "estimated"),
        # The counts that were told stay.
        (left_anthropic, "catalog"),
        (left_google, "catalog"),
    ],
)
def test_a_stream_that_is_left(call, source, metered):
    call(metered)
    [record] = metered.recorded()
    assert (record["costSource"], record["status"]) == (source, "success")
    assert record["metadata"]["clientLeft"] is True


def test_a_stream_that_the_provider_cuts_is_an_error(metered):
    cut = {"x-fake": "cut-after=2"}
    stream = metered.openai().chat.completions.create(**CHAT, stream=True, extra_headers=cut)
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):
        list(stream)
    [record] = metered.recorded()
    assert (record["status"], record["errorCode"]) == ("error", "cut")


def test_observing_twice_is_once(metered):
    client = metered.openai()
    assert metered.optimizer.observe(client) is client
    client.chat.completions.create(**CHAT)
    assert len(metered.recorded()) == 1


def test_who_a_call_is_for_is_asked_when_it_begins(metered):
    customers = iter(["a@example.com", "b@example.com"])
    client = anthropic.Anthropic(api_key=KEY, base_url=metered.fake.url)
    metered.optimizer.observe(client, lambda: {"customer_email": next(customers)})
    client.messages.create(**ASK)
    client.messages.create(**ASK)
    assert [record["customerEmail"] for record in metered.recorded()] == ["a@example.com", "b@example.com"]


def test_nothing_else_can_be_observed(metered):
    with pytest.raises(TypeError):
        metered.optimizer.observe(object())


def test_clients_of_the_trackers_gateway_are_left_alone(metered):
    metered.tracker.send("POST", "/api/user/api-keys", {"service": "openai", "key": KEY})
    url = f"{metered.tracker.url}/gateway/openai/v1"
    client = metered.optimizer.observe(openai.OpenAI(api_key=metered.tracker.key, base_url=url))
    client.chat.completions.create(**CHAT)
    metered.optimizer.flush()
    assert metered.optimizer.stats.sent == 0


def test_the_async_client_observes_as_well(fake, tracker):
    async def call():
        async with AsyncAICostOptimizer(dashboard_config=tracker.config, **PATIENT) as optimizer:
            client = optimizer.observe(openai.AsyncOpenAI(api_key=KEY, base_url=f"{fake.url}/v1"))
            await client.chat.completions.create(**CHAT)
            await optimizer.flush()
            return optimizer.stats

    assert asyncio.run(call()).sent == 1
