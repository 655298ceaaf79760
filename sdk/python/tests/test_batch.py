"""Results of batches: each call at a batch's price, once, and those that failed not at all."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

from anthropic.types.messages import MessageBatchIndividualResponse
from servers import PATIENT

from ai_cost_tracker import AICostOptimizer, AsyncAICostOptimizer

FOLDER = Path(__file__).parents[3] / "crates/domain/tests/wire/fixtures"


def read(path):
    return json.loads((FOLDER / path).read_text())


# OpenAI's come as lines of a file, Anthropic's as objects of its client.
RESULTS = [
    json.dumps(read("openai/batch-chat.json")),
    json.dumps(read("openai/batch-error.json")),
    "",
    MessageBatchIndividualResponse.model_validate(read("anthropic/batch-succeeded.json")),
    MessageBatchIndividualResponse.model_validate(read("anthropic/batch-errored.json")),
]


def test_are_recorded_once_at_half_the_price(tracker):
    said = {"dashboard_config": tracker.config, "default_project_id": tracker.project, **PATIENT}

    async def again():
        async with AsyncAICostOptimizer(**said) as optimizer:
            return await optimizer.track_batch(RESULTS)

    with AICostOptimizer(**said) as optimizer:
        first = optimizer.track_batch(RESULTS, tags=["nightly"])
        # The same reply, told of alone.
        assert optimizer.track_reply(None, read("openai/batch-chat.json")).duplicate
    second = asyncio.run(again())
    assert [(told.successful, told.duplicates, told.failed) for told in (first, second)] == [(2, 0, 0), (0, 2, 0)]
    kept = [(record["service"], record["model"], record["cost"]) for record in tracker.records()]
    assert kept == [
        # (22 × 2 + 2 × 8) / 2 and (11 × 3 + 36 × 15) / 2 millionths of a dollar
        ("openai", "gpt-4.1-2025-04-14", Decimal("0.00003")),
        ("anthropic", "claude-sonnet-4-5-20250929", Decimal("0.0002865")),
    ]
    assert {(record["serviceTier"], *record["tags"]) for record in tracker.records()} == {("batch", "nightly")}
