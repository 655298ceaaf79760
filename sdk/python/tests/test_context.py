import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from ai_cost_tracker import AICostOptimizer, attribute


class Told:
    """A client, and what its tracker is told."""

    def __init__(self):
        self.records = []
        config = {"base_url": "http://tracker/api"}
        transport = httpx.MockTransport(self.take)
        self.optimizer = AICostOptimizer(dashboard_config=config, default_project_id="default", transport=transport)

    def take(self, request):
        records = json.loads(request.content)["usageData"]
        self.records += records
        data = {"successful": len(records), "duplicates": 0, "failed": 0, "results": [], "errors": []}
        return httpx.Response(200, json={"success": True, "data": data})

    def call(self, **said):
        self.optimizer.queue_usage({"model": "m", **said})

    def told(self, *names):
        self.optimizer.close()
        return [tuple(record.get(name) for name in names) for record in self.records]


def test_what_is_recorded_inside_is_for_whom_was_said_around_it():
    told = Told()
    with attribute(session_id="s", tags=["around", "both"], cost_allocation={"team": "around", "client": "acme"}):
        told.call(tags=["both", "own"], cost_allocation={"team": "own"})
        with attribute(project_id="inner", metadata={"step": 2}):
            told.call()
    told.call()
    assert told.told("sessionId", "projectId", "tags", "costAllocation", "metadata") == [
        ("s", "default", ["around", "both", "own"], {"team": "own", "client": "acme"}, None),
        ("s", "inner", ["around", "both"], {"team": "around", "client": "acme"}, {"step": 2}),
        (None, "default", None, None, None),
    ]


def test_a_function_is_attributed_each_run_for_itself():
    told = Told()

    @attribute(tags=["sync"])
    def called():
        told.call()

    @attribute(tags=["async"])
    async def awaited(session):
        with attribute(session_id=session):
            await asyncio.sleep(0)
            told.call()

    async def both():
        await asyncio.gather(awaited("a"), awaited("b"))

    called()
    asyncio.run(both())
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda _: called(), range(2)))
    told.call()
    said = told.told("tags", "sessionId")
    assert sorted(said, key=str) == sorted(
        [(["sync"], None)] * 3 + [(["async"], "a"), (["async"], "b"), (None, None)], key=str
    )


def test_what_fails_inside_is_the_callers_and_ends_it():
    told = Told()
    with pytest.raises(KeyError), attribute(tags=["around"]):
        raise KeyError("mine")
    told.call()
    assert told.told("tags") == [(None,)]


def test_a_generator_says_where_to_put_it():
    with pytest.raises(TypeError, match="inside of it"):

        @attribute(tags=["never"])
        def generator():
            yield 1
