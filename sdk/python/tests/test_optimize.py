import asyncio
from dataclasses import fields
from decimal import Decimal

import httpx
import pytest
from servers import AWS_ACCESS_KEY, AWS_SECRET_KEY, KEY, PATIENT

from ai_cost_tracker import (
    AICostOptimizer,
    AsyncAICostOptimizer,
    AwsCredentials,
    Optimizations,
    Options,
    ProviderError,
    QueueOptions,
    TrackerError,
)
from ai_cost_tracker._options import OptionFields
from ai_cost_tracker._prompt import Prompt, prepare

QUESTION = {"system": "Be brief.", "prompt": "Say something about the price of things"}
PARAGRAPH = "A long paragraph about the price of things, which is repeated word by word for no reason at all."


@pytest.fixture
def options(fake, tracker):
    def made(provider="openai", **more):
        url = f"{fake.url}/v1" if provider == "openai" else fake.url
        return {
            "provider": provider,
            "api_key": KEY,
            "provider_url": url,
            "default_project_id": tracker.project,
            "dashboard_config": tracker.config,
            **PATIENT,
            **more,
        }

    return made


@pytest.mark.parametrize(
    ("provider", "model", "api_key", "cost"),
    [
        # 17 × 0.15 + 16 × 0.60
        ("openai", "gpt-4o-mini", KEY, "0.00001215"),
        # 17 × 1 + 16 × 5
        ("anthropic", "claude-haiku-4-5", KEY, "0.000097"),
        # 17 × 0.30 + 21 × 2.50
        ("google", "gemini-2.5-flash", KEY, "0.0000576"),
        # 17 × 0.06 + 16 × 0.24
        ("bedrock", "amazon.nova-lite-v1:0", KEY, "0.00000486"),
        ("bedrock", "amazon.nova-lite-v1:0", AwsCredentials(AWS_ACCESS_KEY, AWS_SECRET_KEY), "0.00000486"),
    ],
)
def test_every_provider_is_asked_in_its_own_way_and_costs_what_it_billed(
    provider, model, api_key, cost, fake, tracker, options
):
    said = options(provider, api_key=api_key)

    async def asynchronously():
        async with AsyncAICostOptimizer(**said) as optimizer:
            return await optimizer.optimize(**QUESTION, model=model, max_tokens=100, tags=[provider])

    with AICostOptimizer(**said) as optimizer:
        answers = [optimizer.optimize(**QUESTION, model=model, max_tokens=100, tags=[provider])]
    answers.append(asyncio.run(asynchronously()))
    for answer, bill in zip(answers, fake.ledger()[-2:], strict=True):
        assert answer.text.startswith("Every call has its price")
        assert (answer.cost, answer.optimizations) == (Decimal(cost), [])
        assert answer.usage.prompt_tokens == bill["usage"]["input_tokens"]
        assert answer.usage.completion_tokens == bill["usage"]["output_tokens"]
        record = tracker.send("GET", f"/api/usage/{answer.id}")
        assert (record["cost"], record["tags"]) == (Decimal(cost), [provider])


def test_what_the_provider_refuses_is_raised_and_recorded_as_free(tracker, options):
    with AICostOptimizer(**options(api_key="wrong")) as optimizer, pytest.raises(ProviderError) as raised:
        optimizer.optimize(**QUESTION, model="gpt-4o-mini")
    assert raised.value.status == 401
    last = tracker.records()[-1]
    assert (last["errorCode"], last["cost"]) == ("401", 0)


def test_a_tracker_that_is_not_there_costs_the_caller_the_cost_only(options):
    problems = []
    config = {"base_url": "http://127.0.0.1:1/api", "api_key": "aict_x"}
    queue = QueueOptions(close_timeout=0.05)
    said = options(dashboard_config=config, queue=queue, on_problem=problems.append)
    with AICostOptimizer(**said) as optimizer:
        answer = optimizer.optimize(**QUESTION, model="gpt-4o-mini", optimizations=True)
    assert (answer.id, answer.cost, answer.usage.prompt_tokens) == (None, None, 17)
    assert optimizer.stats.dropped == 1
    assert len(problems) == 2


def test_nothing_is_told_to_the_tracker_when_usage_is_not_tracked(tracker, options):
    before = len(tracker.records())
    with AICostOptimizer(**options(track_usage=False)) as optimizer:
        answer = optimizer.optimize(**QUESTION, model="gpt-4o-mini", optimizations=True)
        optimizer.queue_usage({"model": "m"})
    assert (answer.id, answer.cost) == (None, None)
    assert len(tracker.records()) == before


def test_a_caller_who_gives_up_while_the_tracker_is_asked_leaves_the_record(fake, tracker, options):
    class Hanging(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request):
            if request.url.port != httpx.URL(fake.url).port:
                started.set()
                await asyncio.Event().wait()
            return await super().handle_async_request(request)

    async def call():
        async with AsyncAICostOptimizer(transport=Hanging(), **options()) as optimizer:
            asking = asyncio.create_task(optimizer.optimize(**QUESTION, model="gpt-4o-mini", session_id="given-up"))
            await started.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            del asking

    started = asyncio.Event()
    asyncio.run(call())
    assert tracker.records()[-1]["sessionId"] == "given-up"


def test_through_the_gateway_its_record_is_the_record(tracker, options):
    tracker.send("POST", "/api/user/api-keys", {"service": "openai", "key": KEY})
    said = options(api_key=tracker.key, provider_url=f"{tracker.url}/gateway/openai/v1")
    with AICostOptimizer(**said) as optimizer:
        answer = optimizer.optimize(**QUESTION, model="gpt-4o-mini")
    assert answer.cost == Decimal("0.00001215")
    assert len(answer.id) == 24
    assert optimizer.stats.sent == 0


def test_what_was_changed_and_what_it_saved(fake, options):
    with AICostOptimizer(**options(optimizations=True)) as optimizer:
        answer = optimizer.optimize(
            model="gpt-4", context=[f"{PARAGRAPH}   ", PARAGRAPH], prompt="Say\n\n\n\nsomething   short"
        )
    order, whitespace, duplicates, cheaper = answer.optimizations
    assert (order.type, order.characters_saved) == ("cache_order", 0)
    assert (whitespace.type, whitespace.applied, whitespace.characters_saved) == ("whitespace", True, 7)
    assert duplicates.tokens_saved > 10
    # gpt-4: 30 dollars a million.
    assert duplicates.cost_saved == duplicates.tokens_saved * Decimal("0.00003")
    assert (cheaper.type, cheaper.applied, cheaper.model[:4]) == ("cheaper_model", False, "gpt-")
    sent = httpx.Response(200, content=fake.requests()[-1]["body"]).json()
    assert sent["messages"] == [{"role": "user", "content": f"{PARAGRAPH}\n\nSay\n\nsomething short"}]


def test_a_cheaper_model_among_those_that_were_named(options):
    wanted = Optimizations(cheaper_model=["gpt-4o", "gpt-4.1-mini", "o1"])
    with AICostOptimizer(**options()) as optimizer:
        answer = optimizer.optimize(**QUESTION, model="gpt-4", optimizations=wanted)
    [cheaper] = answer.optimizations
    # 17 × 30 + 16 × 60 against 17 × 0.40 + 16 × 1.60
    assert (cheaper.model, cheaper.cost_saved) == ("gpt-4.1-mini", Decimal("0.0014376"))


def changed(prompt, **wanted):
    return prepare(Prompt(prompt), Optimizations(**wanted))[0][0]["content"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a  \nb\t\n", "a\nb"),
        ("a    b", "a b"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("if a:\n    b", "if a:\n    b"),
        ("x   y\n\n```\na    b\n\n\n\nc  \n```\n\n\n\nz", "x y\n\n```\na    b\n\n\n\nc  \n```\n\nz"),
    ],
)
def test_whitespace(before, after):
    assert changed(before, whitespace=True) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{PARAGRAPH}\n\nand\n\n{PARAGRAPH}", f"{PARAGRAPH}\n\nand"),
        ("yes\n\nno\n\nyes", "yes\n\nno\n\nyes"),
        (f"```\n{PARAGRAPH}\n\n{PARAGRAPH}\n```", f"```\n{PARAGRAPH}\n\n{PARAGRAPH}\n```"),
    ],
)
def test_duplicates(before, after):
    assert changed(before, duplicates=True) == after


def test_cache_order():
    messages = [{"role": "user", "content": "Hi"}, {"role": "system", "content": "Be brief."}]
    prompt = Prompt("Why?", context=["second", "first"], messages=messages)
    assert prepare(prompt, Optimizations(cache_order=True))[0] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": "first\n\nsecond\n\nWhy?"},
    ]
    assert prepare(prompt, Optimizations())[0][-1]["content"] == "second\n\nfirst\n\nWhy?"


def test_asking_the_tracker(tracker, options):
    call = {
        "service": "openai",
        "model": "gpt-4",
        "prompt_tokens": 25,
        "completion_tokens": 150,
        "cost": Decimal("0.0035"),
        "request_id": "one",
    }
    with AICostOptimizer(**options()) as optimizer:
        tracked = optimizer.track_usage(call)
        assert (tracked.cost, tracked.cost_source, tracked.duplicate) == (Decimal("0.0035"), "reported", False)
        assert optimizer.track_usage(call).duplicate
        many = [{"model": "" if index == 1_100 else "gpt-4o-mini", "tokens": 1, "cost": 0} for index in range(1_201)]
        outcome = optimizer.bulk_import(many)
        assert (outcome.successful, outcome.failed, len(outcome.results)) == (1_200, 1, 1_200)
        assert (outcome.errors[0]["index"], outcome.errors[0]["code"]) == (1_100, "invalid_input")
        estimate = optimizer.estimate({"model": "gpt-4", "prompt_tokens": 1000, "completion_tokens": 0})
        assert estimate["cost"] == Decimal("0.03")
        analytics = optimizer.get_project_analytics(tracker.project, group_by="day", tags=["openai", "google"])
        assert analytics["summary"]["totalRequests"] == 4
        other = tracker.send("POST", "/api/projects", {"name": "Other"})["id"]
        projects = optimizer.compare_projects([tracker.project, other])["projects"]
        assert [project["name"] for project in projects] == ["SDK", "Other"]
        assert optimizer.get_budget_status(tracker.project)["projectId"] == tracker.project
        with pytest.raises(TrackerError) as raised:
            optimizer.get_project_analytics("0" * 24)
    assert (raised.value.status, raised.value.code) == (404, "project_not_found")


def test_the_environment_variables_of_the_guide_are_enough(fake, tracker, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{fake.url}/v1")
    monkeypatch.setenv("API_KEY", f"{tracker.url}/api")
    monkeypatch.setenv("AICT_API_KEY", tracker.key)
    monkeypatch.setenv("PROJECT_ID", tracker.project)
    with AICostOptimizer() as optimizer:
        answer = optimizer.optimize(prompt="hello", model="gpt-4o-mini")
    assert tracker.send("GET", f"/api/usage/{answer.id}")["projectId"] == tracker.project


def test_the_constructor_takes_every_option():
    assert set(OptionFields.__annotations__) == {field.name for field in fields(Options)}
