"""The integration guide's back-end services, with nothing but the environment."""

import asyncio
from decimal import Decimal

import pytest

from ai_cost_tracker import AICostTrackerService, AnalyticsService, AsyncAICostOptimizer, _services

REQUEST = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello"}]}
REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500},
}
# 1000 × 0.15 + 500 × 0.60 millionths of a dollar
COST = Decimal("0.00045")


@pytest.fixture
def environment(tracker, monkeypatch):
    monkeypatch.setenv("API_KEY", f"{tracker.url}/api")
    monkeypatch.setenv("AICT_API_KEY", tracker.key)
    _services._shared.cache_clear()
    yield tracker
    _services._shared().close()
    _services._shared.cache_clear()


def test_a_reply_is_recorded_once_and_its_cost_is_known(environment):
    project = environment.send("POST", "/api/projects", {"name": "services"})["id"]
    options = {
        "project_id": project,
        "service": "openai",
        "tags": ["tag1", "tag2"],
        "cost_allocation": {"department": "engineering", "team": "ai-team"},
    }
    first = AICostTrackerService.track_request(REQUEST, REPLY, "user-7", **options)
    again = AICostTrackerService.track_request(REQUEST, REPLY, "user-7", **options)
    assert (first.cost, first.duplicate) == (COST, False)
    assert (again.id, again.duplicate) == (first.id, True)
    record = environment.send("GET", f"/api/usage/{first.id}")
    assert (record["service"], record["tags"], record["responseTime"]) == ("openai", ["tag1", "tag2"], None)
    assert record["costAllocation"]["team"] == "ai-team"
    assert record["metadata"]["userId"] == "user-7"
    summary = AnalyticsService.get_project_analytics(project, group_by="day")["summary"]
    assert (summary["totalCost"], summary["totalRequests"]) == (COST, 1)


def test_an_address_is_the_records_user_and_a_service_follows_from_the_model(environment):
    reply = {**REPLY, "id": "chatcmpl-2"}
    tracked = AICostTrackerService.track_request({"model": "gpt-4o-mini"}, reply, "her@example.com")
    record = environment.send("GET", f"/api/usage/{tracked.id}")
    assert (record["service"], record["userEmail"], tracked.cost) == ("openai", "her@example.com", COST)


async def _told_by_the_async_client(environment):
    async with AsyncAICostOptimizer(dashboard_config=environment.config) as optimizer:
        return await optimizer.track_reply(REQUEST, {**REPLY, "id": "chatcmpl-3"}, service="openai")


def test_the_async_client_records_replies_as_well(environment):
    assert asyncio.run(_told_by_the_async_client(environment)).cost == COST
