"""Server-sent events: reading their JSON, and asking a stream for the usage that it would not tell."""

from __future__ import annotations

import json
import re

from ._reply import Json, is_list, is_object

# Bytes of an event that is looked at; a longer one passes unread.
_EVENT_BYTES_MAX = 8 * 1024 * 1024
_END = re.compile(rb"\r?\n\r?\n|\r\r")


class Events:
    """Cuts a stream into events, blank line included."""

    def __init__(self) -> None:
        self._open = b""

    def push(self, piece: bytes) -> list[bytes]:
        """The events that `piece` completes."""
        self._open += piece
        events: list[bytes] = []
        start = 0
        for end in _END.finditer(self._open):
            events.append(self._open[start : end.end()])
            start = end.end()
        self._open = self._open[start:]
        if len(self._open) > _EVENT_BYTES_MAX:
            events.append(self.rest())
        return events

    def rest(self) -> bytes:
        """What is left at the end."""
        rest, self._open = self._open, b""
        return rest


def data_of(event: bytes) -> object:
    """The JSON of an event; None where there is none, as in a comment or in `[DONE]`."""
    lines = re.split(rb"\r\n|\r|\n", event)
    data = b"\n".join(line[len(b"data:") :].strip() for line in lines if line.startswith(b"data:"))
    try:
        document: object = json.loads(data) if data else None
    except ValueError:
        return None
    return document


def is_done(event: bytes) -> bool:
    """OpenAI's last event, which is no JSON."""
    return re.search(rb"^data:\s*\[DONE\]", event, re.MULTILINE) is not None


def asking_for_usage(request: object, operation: str) -> bytes | None:
    """The request with the question for usage, or None if it asks itself or streams nothing.

    OpenAI and what is compatible with it say the usage of a streamed chat only when told to:
    https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options"""
    if not is_object(request) or request.get("stream") is not True:
        return None
    if not is_list(request.get("messages")) and operation != "text_completion":
        return None
    asked = request.get("stream_options")
    options: Json = asked if is_object(asked) else {}
    if options.get("include_usage") is True:
        return None
    return _written({**request, "stream_options": {**options, "include_usage": True}})


def without_usage(event: bytes) -> bytes:
    """The event as a caller sees it who did not ask for usage; empty if it says nothing else."""
    if b'"usage"' not in event:
        return event
    document = data_of(event)
    choices = document.get("choices") if is_object(document) else None
    if not is_object(document) or not is_list(choices):
        return event
    if document.get("usage", ...) is None:
        rest = {key: value for key, value in document.items() if key != "usage"}
        return b"data: " + _written(rest) + b"\n\n"
    return event if choices else b""


def _written(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
