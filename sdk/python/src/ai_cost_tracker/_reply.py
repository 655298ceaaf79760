"""What a provider's reply says of itself, without what it says: the tracker reads the counts of every provider, so the
SDK counts nothing. It keeps the structure of a reply with its numbers and empties its texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard, cast

Json = dict[str, Any]

# Words that tell what a call was and what it is charged as; any other text is emptied.
_WORDS = frozenset(
    "id responseId response_id generation_id object type model modelVersion model_version service_tier serviceTier "
    "trafficType traffic_type speed inference_geo ttl modality status stop_reason stopReason finish_reason "
    "finishReason size quality search_type reason invokedModelId currency".split()
)
# Where replies keep their counts.
_COUNTS = (
    "usage",
    "usageMetadata",
    "usage_metadata",
    "usage_info",
    "x_groq",
    "amazon-bedrock-invocationMetrics",
    "inputTextTokenCount",
    "prompt_token_count",
    "generation_token_count",
    "meta",
)
# Texts of which it counts that they are there: pictures.
_COUNTED_TEXTS = frozenset(("b64_json", "url", "bytesBase64Encoded"))
# What the first document of a reply says of these holds; events have others later.
_FIRST = frozenset(("id", "responseId", "response_id", "type", "object"))
# What tells whose reply it is.
_INTRODUCTIONS = ("id", "responseId", "response_id", "model", "modelVersion", "model_version")
# Keys under which replies put pieces of the answer.
_TEXTS = frozenset(
    "content text delta arguments partial_json thinking reasoning_content reasoning generation outputText".split()
)
# Keys under which requests put what is asked.
_PROMPTS = frozenset("text content input prompt system instructions inputText".split())
_WORD_LENGTH_MAX = 256
_ITEMS_MAX = 1000
_DEPTH_MAX = 32


def is_object(value: object) -> TypeGuard[Json]:
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _emptied(value: Any, key: str = "", depth: int = 0) -> Any:
    """The value with its structure and numbers, its texts empty."""
    if isinstance(value, str):
        return value if key in _WORDS and len(value) <= _WORD_LENGTH_MAX else ""
    if depth > _DEPTH_MAX:
        return None
    if is_list(value):
        if all(_is_number(item) for item in value):
            return []
        # Embeddings are alike; that there are some is all that matters.
        is_embeddings = is_object(value[0]) and value[0].get("object") == "embedding"
        return [_emptied(item, key, depth + 1) for item in value[: 1 if is_embeddings else _ITEMS_MAX]]
    if is_object(value):
        inner = ((name, _emptied(item, name, depth + 1)) for name, item in value.items() if name != "logprobs")
        return {name: item for name, item in inner if item != "" or name in _COUNTED_TEXTS}
    return value


def _merge(into: Json, source: Json) -> None:
    """Adds what `source` says: a later value replaces an earlier one, null and absence do not."""
    for key, value in source.items():
        known = into.get(key)
        if value is None or (known is not None and (key in _FIRST or value == "")):
            continue
        into[key] = value if known is None else _merged(known, value)


def _merged(known: Any, value: Any) -> Any:
    if is_object(known) and is_object(value):
        _merge(known, value)
        return known
    if not (is_list(known) and is_list(value)):
        return value
    longer = known if len(known) > len(value) else value
    both = [_merged(before, after) for before, after in zip(known, value, strict=False)]
    return both + longer[len(both) :]


def _with_duration(document: Json) -> Json:
    """A transcription of before there was `usage` has its duration beside it."""
    duration = document.get("duration")
    if _is_number(duration) and "task" in document and "usage" not in document:
        return {**document, "usage": {"type": "duration", "seconds": duration}}
    return document


def _batched(line: Json) -> Json | None:
    """The reply in a line of a batch's results, of OpenAI, Anthropic, Bedrock and Gemini in turn."""
    response, result = line.get("response"), line.get("result")
    if is_object(response) and is_object(response.get("body")):
        return cast(Json, response["body"])
    if is_object(result) and is_object(result.get("message")):
        return cast(Json, result["message"])
    if is_object(line.get("modelOutput")):
        return cast(Json, line["modelOutput"])
    return response if is_object(response) and ("key" in line or "request" in line) else None


def _reply_in(document: Json) -> Json:
    """The reply that an event of a stream holds, or the document itself."""
    for key in ("response", "interaction"):
        if is_object(document.get(key)):
            return cast(Json, document[key])
    if is_object(document.get("message")) and document.get("type") == "message_start":
        return cast(Json, document["message"])
    for key in ("metadata", "delta", "result"):
        inner = document.get(key)
        if is_object(inner) and is_object(inner.get("usage")):
            return inner
    return document


def _counts(document: Json) -> bool:
    choices = document.get("choices")
    choice = choices[0] if is_list(choices) and choices else None
    is_in_choice = is_object(choice) and is_object(choice.get("usage"))
    return is_in_choice or any(document.get(key) is not None for key in _COUNTS)


def _is_event(reply: Json) -> bool:
    """The type of an event says nothing of the reply that it is a part of."""
    kind = reply.get("type")
    return isinstance(kind, str) and re.search(r"[-._]", kind) is not None


class Reply:
    """Gathers the documents of one reply."""

    def __init__(self, text_length_max: int) -> None:
        # What the reply says of itself.
        self.digest: Json = {}
        # Whether it was a line of a batch's results.
        self.is_batched = False
        self._text_length_max = text_length_max
        self._texts: list[str] = []
        self._text_length = 0

    def add(self, document: object) -> None:
        """Adds a whole reply, an event of a stream, or a list of events."""
        if is_list(document):
            for event in document:
                self.add(event)
        elif is_object(document) and (reply := _batched(document)):
            self.is_batched = True
            self.add(reply)
        elif is_object(document):
            self._add_text(document)
            self._add_reply(document)

    def _add_reply(self, document: Json) -> None:
        reply = _reply_in(_with_duration(document))
        is_introduced = self.id is not None and self.model is not None
        introduces = not is_introduced and any(isinstance(reply.get(key), str) for key in _INTRODUCTIONS)
        if _counts(reply) or introduces:
            told = cast(Json, _emptied(reply))
            told.pop("delta", None)
            if _is_event(reply):
                told.pop("type", None)
            _merge(self.digest, told)
        for key in _COUNTS:
            if reply is not document and is_object(document.get(key)):
                _merge(self.digest, {key: _emptied(document[key])})

    @property
    def id(self) -> str | None:
        return self._word("id") or self._word("responseId") or self._word("response_id")

    @property
    def model(self) -> str | None:
        return self._word("model") or self._word("modelVersion") or self._word("model_version")

    @property
    def is_counted(self) -> bool:
        return _counts(self.digest)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._texts)

    def _word(self, key: str) -> str | None:
        value = self.digest.get(key)
        return value if isinstance(value, str) and value else None

    def _add_text(self, document: Json) -> None:
        # OpenAI's Responses repeat at the end of each part, and of the whole, what came piece by piece.
        kind = str(document.get("type", ""))
        if kind.startswith("response.") and not kind.endswith(".delta"):
            return
        self._collect(document, "")

    def _collect(self, value: Any, key: str) -> None:
        if self._text_length >= self._text_length_max:
            return
        if isinstance(value, str):
            if key in _TEXTS:
                self._texts.append(value)
                self._text_length += len(value)
        elif is_list(value):
            for item in value:
                self._collect(item, key)
        elif is_object(value):
            for name, inner in value.items():
                self._collect(inner, name)


def prompt_of(request: object, length_max: int) -> str:
    """The texts of a request, for calls whose tokens nobody counted."""
    texts: list[str] = []

    def collect(value: Any, key: str) -> None:
        if sum(map(len, texts)) >= length_max:
            return
        if isinstance(value, str):
            if key in _PROMPTS:
                texts.append(value)
        elif is_list(value):
            for item in value:
                collect(item, key)
        elif is_object(value):
            for name, inner in value.items():
                collect(inner, name)

    collect(request, "")
    return "\n".join(texts)
