"""LiteLLM and LangChain."""

import asyncio
import time
from decimal import Decimal

import litellm
import pytest
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from servers import KEY, PATIENT

from ai_cost_tracker import AICostOptimizer, attribute
from ai_cost_tracker.langchain import CostTrackingHandler
from ai_cost_tracker.litellm import LiteLLMCallback

MESSAGES = [{"role": "user", "content": "Say something about the price of things"}]


@pytest.fixture(scope="module")
def optimizer(tracker):
    said = {"dashboard_config": tracker.config, "default_project_id": tracker.project}
    with AICostOptimizer(**said, **PATIENT) as made:
        # LiteLLM keeps the first callback of a kind.
        litellm.callbacks = [LiteLLMCallback(made, {"tags": ["litellm"]})]
        yield made
        litellm.callbacks = []


@pytest.fixture
def recorded(optimizer, tracker):
    seen, told = len(tracker.records()), optimizer.stats

    def fresh(count):
        # LiteLLM tells its callbacks from a thread of its own.
        deadline = time.monotonic() + 20
        while optimizer.stats.sent + optimizer.stats.duplicates < told.sent + told.duplicates + count:
            assert time.monotonic() < deadline, optimizer.stats
            optimizer.flush()
        return tracker.records()[seen:]

    return fresh


@pytest.fixture
def completion(fake):
    to_openai = {"model": "openai/gpt-4o-mini", "api_base": f"{fake.url}/v1", "api_key": KEY, "messages": MESSAGES}
    to_anthropic = {"model": "anthropic/claude-haiku-4-5", "api_base": fake.url, "api_key": KEY, "messages": MESSAGES}
    return {"openai": to_openai, "anthropic": to_anthropic}


@pytest.mark.parametrize(
    ("provider", "cost"),
    # 15 × 0.15 + 16 × 0.60 and 15 × 1 + 16 × 5
    [("openai", "0.00001185"), ("anthropic", "0.000095")],
)
def test_litellm(provider, cost, completion, recorded):
    litellm.completion(**completion[provider])
    [record] = recorded(1)
    assert (record["service"], record["cost"], record["tags"]) == (provider, Decimal(cost), ["litellm"])


def test_litellm_streams(completion, recorded):
    list(litellm.completion(**completion["openai"], stream=True, stream_options={"include_usage": True}))
    [record] = recorded(1)
    assert (record["cost"], record["costSource"]) == (Decimal("0.00001185"), "catalog")


def test_litellm_streams_that_do_not_tell_their_counts_are_estimated(completion, recorded):
    list(litellm.completion(**completion["openai"], stream=True))
    [record] = recorded(1)
    assert (record["costSource"], record["status"]) == ("estimated", "success")
    assert record["cost"] > 0


def test_litellm_is_for_whom_was_said_around_it(completion, recorded):
    with attribute(tags=["around"], session_id="s-1"):
        # Its streams end in a thread of LiteLLM's own.
        list(litellm.completion(**completion["openai"], stream=True))
    [record] = recorded(1)
    assert (record["tags"], record["sessionId"]) == (["around", "litellm"], "s-1")


def test_litellm_refusals(completion, recorded):
    with pytest.raises(litellm.RateLimitError):
        litellm.completion(**completion["openai"], extra_headers={"x-fake": "status=429"}, max_retries=0)
    record = recorded(1)[-1]
    assert (record["errorCode"], record["cost"], record["status"]) == ("429", 0, "error")


MESSAGE = AIMessage(
    content="Hello",
    usage_metadata={
        "input_tokens": 1000,
        "output_tokens": 500,
        "total_tokens": 1500,
        "input_token_details": {"cache_read": 200},
        "output_token_details": {"reasoning": 100},
    },
    response_metadata={"model_name": "gpt-4o-mini-2024-07-18", "id": "chatcmpl-lc-1"},
)


class Model(FakeMessagesListChatModel):
    def _get_ls_params(self, stop=None, **kwargs):
        return {"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "ls_model_type": "chat"}


def test_langchain(optimizer, recorded):
    handler = CostTrackingHandler(optimizer, lambda: {"session_id": "s-1"})
    model = Model(responses=[MESSAGE])
    model.invoke("Hi", config={"callbacks": [handler]})
    # The provider's id of the reply: told twice, it counts once.
    asyncio.run(model.ainvoke("Hi", config={"callbacks": [handler]}))
    [record] = recorded(2)
    # The first line of the vectors: 1000 in of which 200 cached, 500 out.
    assert (record["cost"], record["responseModel"]) == (Decimal("0.000435"), "gpt-4o-mini-2024-07-18")
    assert (record["sessionId"], record["usage"]["reasoning_tokens"]) == ("s-1", 100)


class Failing(Model):
    def _generate(self, *args, **kwargs):
        raise RuntimeError("broken")


def test_langchain_errors(optimizer, recorded):
    with pytest.raises(RuntimeError):
        Failing(responses=[]).invoke("Hi", config={"callbacks": [CostTrackingHandler(optimizer)]})
    [record] = recorded(1)
    assert (record["status"], record["errorCode"], record["cost"]) == ("error", "RuntimeError", None)
