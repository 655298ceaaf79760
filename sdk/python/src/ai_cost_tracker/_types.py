"""What callers say of calls, and what they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypedDict

from ._reply import Json

Provider = Literal["openai", "anthropic", "google", "bedrock"]


class Message(TypedDict):
    role: Literal["system", "user", "assistant"]
    content: str


class Attribution(TypedDict, total=False):
    """What is said of a call beside the call itself."""

    project_id: str
    # Department, team, purpose, client, campaign, and whatever else.
    cost_allocation: Mapping[str, str]
    tags: Sequence[str]
    user_email: str
    customer_email: str
    session_id: str
    trace_id: str
    metadata: Mapping[str, Any]


# Who calls are for: always the same, or asked for when a call begins.
Attributing = Attribution | Callable[[], Attribution]


class UsageRecord(Attribution, total=False):
    """A call to record. Only `model` is required. What else the tracker takes can be given by its own names."""

    model: str
    service: str
    operation: str
    prompt: str
    completion: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    # The provider's own usage object.
    usage: Mapping[str, Any]
    cost: Decimal | float
    # Milliseconds.
    response_time: int
    timestamp: str | datetime
    status: str
    error_code: str
    error_message: str
    # The same key is the same record.
    request_id: str


@dataclass(frozen=True)
class Tracked:
    """What became of a tracked call. `cost` is None when it is not known."""

    id: str
    cost: Decimal | None
    cost_source: str | None
    total_tokens: int | None
    duplicate: bool


@dataclass
class BulkOutcome:
    """What became of many records. A bad one fails alone."""

    successful: int = 0
    duplicates: int = 0
    failed: int = 0
    # Each with its `index`.
    results: list[Json] = field(default_factory=lambda: [])
    errors: list[Json] = field(default_factory=lambda: [])


@dataclass(frozen=True)
class TokenCounts:
    """Tokens in and out, cached and reasoning ones included; None where nobody counted."""

    prompt_tokens: int | None
    completion_tokens: int | None

    @property
    def total_tokens(self) -> int | None:
        if self.prompt_tokens is None and self.completion_tokens is None:
            return None
        return (self.prompt_tokens or 0) + (self.completion_tokens or 0)


@dataclass(frozen=True)
class Optimization:
    type: Literal["whitespace", "duplicates", "cache_order", "cheaper_model"]
    # Whether the call was made with it; a cheaper model is only suggested.
    applied: bool
    characters_saved: int | None = None
    # None where the tracker could not say.
    tokens_saved: int | None = None
    cost_saved: Decimal | None = None
    # The model that is suggested.
    model: str | None = None


@dataclass(frozen=True)
class OptimizeResponse:
    # Id of the tracker's record; None if it has not taken it (yet).
    id: str | None
    provider: Provider
    model: str
    text: str
    usage: TokenCounts
    # US dollars; None is unknown, not free.
    cost: Decimal | None
    optimizations: list[Optimization]
    # The provider's reply as it came.
    response: Json


def wire_names(said: Mapping[str, Any]) -> Json:
    """The tracker's own names of the fields; what is None is not said."""
    return {_camel(name): value for name, value in said.items() if value is not None}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
