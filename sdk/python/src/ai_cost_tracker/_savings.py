"""What an optimization saved or would save, by the tracker's own price catalog.

Generators: they yield requests to the tracker and are sent what it says, so that they serve both clients."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from decimal import Decimal
from typing import Any

from ._prompt import Change
from ._reply import Json
from ._tracker import TrackerError, TrackerRequest
from ._types import Message, Optimization, TokenCounts

Steps = Generator[TrackerRequest, Any, Any]

_PAGES_MAX = 5
# Kinds of models that do not answer a chat, or need another API for it.
_OTHER_KINDS = re.compile(
    "audio|realtime|search|embed|image|tts|transcribe|instruct|live|vision|codex|computer|deep-research"
)


def _length_of(messages: list[Message]) -> int:
    return sum(len(message["content"]) for message in messages)


def saving_of(change: Change, service: str, model: str, *, ask: bool) -> Generator[TrackerRequest, Any, Optimization]:
    """What a change of the prompt saved."""
    characters = _length_of(change.before) - _length_of(change.after)
    saved = Optimization(change.type, True, characters)
    if not ask or characters == 0:
        return saved
    estimates: list[Json] = []
    try:
        for messages in (change.before, change.after):
            text = "\n".join(message["content"] for message in messages)
            call = {"service": service, "model": model, "prompt": text}
            estimates.append((yield TrackerRequest("POST", "/prices/estimate", call)))
    except TrackerError:
        return saved
    tokens = [_input_tokens(estimate) for estimate in estimates]
    costs = [estimate["cost"] for estimate in estimates]
    return Optimization(change.type, True, characters, _difference(*tokens), _difference(*costs))


def _difference(more: Any, less: Any) -> Any:
    return None if more is None or less is None else more - less


def _input_tokens(estimate: Json) -> int | None:
    explanation: Json = estimate.get("costExplanation") or {}
    items: list[Json] = explanation.get("items", [])
    counts: list[int] = [item["count"] for item in items if item["unit"] == "input_tokens"]
    return sum(counts) if counts else None


def cheaper_model(
    service: str, model: str, counts: TokenCounts, among: Sequence[str] | None
) -> Generator[TrackerRequest, Any, Optimization | None]:
    """The model that would have cost least for the same tokens, if it is another one."""
    call = {
        "service": service,
        "promptTokens": counts.prompt_tokens,
        "completionTokens": counts.completion_tokens,
    }
    try:
        candidates = (yield from _family_of(service, model, counts)) if among is None else among
        costs: list[Any] = []
        for name in (model, *candidates):
            costs.append((yield TrackerRequest("POST", "/prices/estimate", {**call, "model": name}))["cost"])
    except TrackerError:
        return None
    own, others = costs[0], costs[1:]
    cheaper = [(cost, name) for cost, name in zip(others, candidates, strict=True) if cost is not None]
    if own is None or not cheaper or min(cheaper)[0] >= own:
        return None
    cost, name = min(cheaper)
    return Optimization("cheaper_model", False, cost_saved=Decimal(own) - Decimal(cost), model=name)


def _family_of(service: str, model: str, counts: TokenCounts) -> Generator[TrackerRequest, Any, list[str]]:
    """The model of the same family that costs least by its listed rates; the first word of a name is its family."""
    word = re.match(r"[a-z.]+", model, re.IGNORECASE)
    family = word[0] if word else model
    rates: list[tuple[Decimal, str]] = []
    for page in range(1, _PAGES_MAX + 1):
        query = {"service": service, "search": family, "page": page, "limit": 100}
        rows: list[Json] = yield TrackerRequest("GET", "/prices", query=query)
        for row in rows:
            rate = _rate_of(row, counts)
            if row["model"].startswith(f"{family}-") and not _OTHER_KINDS.search(row["model"]) and rate is not None:
                rates.append((rate, row["model"]))
        if len(rows) < 100:
            break
    cheapest = min(rates, default=None)
    return [] if cheapest is None or cheapest[1] == model else [cheapest[1]]


def _rate_of(row: Json, counts: TokenCounts) -> Decimal | None:
    """How dear a row is for such a call; only to compare."""
    rates = row["rates"]
    if row.get("validUntil") is not None or row["conditions"] or not {"input_tokens", "output_tokens"} <= rates.keys():
        return None
    prices = (Decimal(str(rates[unit][0]["rate"])) for unit in ("input_tokens", "output_tokens"))
    amounts = (counts.prompt_tokens or 0, counts.completion_tokens or 0)
    return sum((price * amount for price, amount in zip(prices, amounts, strict=True)), Decimal(0))
