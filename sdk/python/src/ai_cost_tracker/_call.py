"""One call to a provider: what is seen of it → the record that the tracker gets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from ._clock import Clock, milliseconds, timestamp
from ._reply import Json, Reply, is_object, prompt_of
from ._target import Target

# Whether texts go to the tracker: never, to estimate calls whose tokens nobody counted, or always.
SendTexts = Literal["never", "uncounted", "always"]

# How a call ended: by itself, because the caller left, or because the provider broke off or never answered.
End = Literal["whole", "left", "cut", "aborted", "unreachable"]

# Characters of prompt and answer that are kept at most.
_TEXT_LENGTH_MAX = 256 * 1024
# Kinds of calls that are charged by the tokens of their texts.
_WITH_TEXT = frozenset(("chat", "text_completion", "generate_content", "invoke_model", "embeddings"))
# After these, nothing of a reply comes.
_LAST_EVENTS = frozenset(("message_stop", "response.completed", "response.incomplete", "response.failed"))
_ERROR_LENGTH_MAX = 1000

_log = logging.getLogger("ai_cost_tracker")

_ENDS: dict[End, Json] = {
    "whole": {"status": "success"},
    "left": {"status": "success", "metadata": {"clientLeft": True}},
    "cut": {
        "status": "error",
        "errorCode": "cut",
        "errorMessage": "the provider broke off before the end of its answer",
    },
    "aborted": {
        "status": "error",
        "errorCode": "aborted",
        "errorMessage": "the caller gave up before the provider answered",
    },
    "unreachable": {
        "status": "error",
        "errorCode": "unreachable",
        "errorMessage": "the provider could not be reached",
    },
}


@dataclass
class Context:
    """What calls need of the client that they are metered for."""

    clock: Clock
    send_texts: SendTexts
    record: Callable[[Json], None]


@dataclass
class Call:
    target: Target
    request: object
    # In the tracker's own names.
    attribution: Json
    context: Context
    reply: Reply = field(default_factory=lambda: Reply(_TEXT_LENGTH_MAX))
    _started_at: float = 0
    _first_piece_at: float | None = None
    _error: Json | None = None
    _is_complete: bool = False
    _is_recorded: bool = False

    def __post_init__(self) -> None:
        self._started_at = self.context.clock.now()

    def begins(self) -> None:
        """The first piece of a stream has come."""
        if self._first_piece_at is None:
            self._first_piece_at = self.context.clock.now()

    def add(self, document: object) -> None:
        """Adds a whole reply, or an event of a stream; an event may say that the provider failed."""
        # Metering never breaks the metered call.
        with suppress(Exception):
            self.reply.add(document)
        if not is_object(document):
            return
        response = document.get("response")
        error = document.get("error") or (response.get("error") if is_object(response) else None)
        if is_object(error):
            self._error = error
        if document.get("type") in _LAST_EVENTS:
            self._is_complete = True

    @property
    def has_begun(self) -> bool:
        return self._first_piece_at is not None

    def completes(self) -> None:
        """The last event of a stream has come."""
        self._is_complete = True

    def ends(self, end: End, status: int | None = None, error: object = None) -> None:
        """Records the call, once. `status` is the provider's; `error` what it said when it refused."""
        if self._is_recorded:
            return
        self._is_recorded = True
        try:
            # Clients stop reading when the last event has come; nothing was left then.
            outcome = self._outcome("whole" if end == "left" and self._is_complete else end, status, error)
            metadata = {**outcome.pop("metadata", {}), **self.attribution.get("metadata", {})}
            record = {**self._facts(), **self._usage(end, status), **outcome, **self.attribution}
            self.context.record({**record, "metadata": metadata} if metadata else record)
        except Exception:  # Metering never breaks the metered call.
            _log.debug("a call could not be metered", exc_info=True)

    def _facts(self) -> Json:
        clock, target = self.context.clock, self.target
        # The provider's id of the reply is the call's identity, through whichever door it is told of.
        identity = f"reply:{target.service}:{self.reply.id}" if self.reply.id else clock.unique_key()
        facts: Json = {
            "service": target.service,
            "model": target.model or self.reply.model or "unknown",
            "operation": target.operation,
            "requestId": identity,
            "timestamp": timestamp(self._started_at),
            "responseTime": milliseconds(self._started_at, clock.now()),
        }
        if self.reply.is_batched:
            facts["serviceTier"] = "batch"
        if self._first_piece_at is not None:
            facts["timeToFirstToken"] = milliseconds(self._started_at, self._first_piece_at)
        return facts

    def _usage(self, end: End, status: int | None) -> Json:
        reply = self.reply
        counted: Json = {"usage": reply.digest} if reply.digest else {}
        is_refused = status is not None and status >= 400
        # Providers do not charge for what they refuse or never got, and that is known.
        if not reply.is_counted and (is_refused or end == "unreachable"):
            return {"cost": 0}
        # What is spoken is charged by the character, and only the request says how many there are.
        if not reply.is_counted and self.target.operation == "speech":
            return {**counted, **_spoken(self.request)}
        send_texts = self.context.send_texts if self.target.operation in _WITH_TEXT else "never"
        if send_texts == "never" or (send_texts == "uncounted" and reply.is_counted):
            return counted
        # A whole answer of which nothing could be read is unknown; it would be taken for an empty one.
        if not reply.is_counted and end == "whole" and not reply.text:
            return counted
        return {**counted, "prompt": prompt_of(self.request, _TEXT_LENGTH_MAX), "completion": reply.text}

    def _outcome(self, end: End, status: int | None, refusal: object) -> Json:
        if status is not None and status >= 400:
            return {"status": "error", "errorCode": str(status), **_message_of(refusal)}
        if end != "whole" or self._error is None:
            return dict(_ENDS[end])
        codes = (self._error.get(key) for key in ("code", "type"))
        code = next((code for code in codes if isinstance(code, (str, int))), "stream_error")
        return {"status": "error", "errorCode": str(code), **_message_of(self._error)}


def _spoken(request: object) -> Json:
    """Characters of a text to be spoken."""
    text = request.get("input") if is_object(request) else None
    return {"inputCharacters": len(text)} if isinstance(text, str) else {}


def _message_of(error: object) -> Json:
    """The message in a provider's error, wherever it stands."""
    inner: Any = error
    if is_object(error) and is_object(error.get("error")):
        inner = error["error"]
    message: Any = (inner.get("message") or inner.get("Message")) if is_object(inner) else inner
    return {"errorMessage": message[:_ERROR_LENGTH_MAX]} if isinstance(message, str) and message else {}
