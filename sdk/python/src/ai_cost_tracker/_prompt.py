"""What can be taken out of a prompt or put in another order without changing what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ._types import Message


@dataclass(frozen=True)
class Optimizations:
    """What `optimize` may do to a prompt."""

    # Blanks that say nothing: at ends of lines, in runs, in runs of empty lines. Not inside of code blocks.
    whitespace: bool = False
    # A long paragraph or code block that stands there before, word by word.
    duplicates: bool = False
    # What stays the same comes first, so that the provider's cache finds it: system, context in a fixed order,
    # question.
    cache_order: bool = False
    # Name a cheaper model of the same family (or of the ones listed). Only a suggestion: the call is made as asked.
    cheaper_model: bool | Sequence[str] = False


ALL = Optimizations(whitespace=True, duplicates=True, cache_order=True, cheaper_model=True)
TextOptimization = Literal["whitespace", "duplicates", "cache_order"]


@dataclass(frozen=True)
class Prompt:
    prompt: str | None = None
    system: str | None = None
    # Texts that the question is about.
    context: Sequence[str] = ()
    # A whole conversation, instead of or before the prompt.
    messages: Sequence[Message] = field(default_factory=tuple)


@dataclass(frozen=True)
class Change:
    """One change of the prompt, with the texts before and after it."""

    type: TextOptimization
    before: list[Message]
    after: list[Message]


# Shorter paragraphs may be repeated for a reason.
_DUPLICATE_LENGTH_MIN = 80
_FENCED = re.compile(r"(^```[\s\S]*?^```[^\n]*$|^~~~[\s\S]*?^~~~[^\n]*$)", re.MULTILINE)


def prepare(prompt: Prompt, wanted: Optimizations) -> tuple[list[Message], list[Change]]:
    """The conversation as it is sent, and what was changed."""
    changes: list[Change] = []
    messages = _conversation(prompt, is_stable=False)

    def change(kind: TextOptimization, after: list[Message]) -> list[Message]:
        if after != messages:
            changes.append(Change(kind, messages, after))
        return after

    if wanted.cache_order:
        messages = change("cache_order", _conversation(prompt, is_stable=True))
    if wanted.whitespace:
        messages = change("whitespace", [_without_blanks(message) for message in messages])
    if wanted.duplicates:
        messages = change("duplicates", _without_duplicates(messages))
    return messages, changes


def _conversation(prompt: Prompt, *, is_stable: bool) -> list[Message]:
    question = sorted(prompt.context) if is_stable else list(prompt.context)
    question += [] if prompt.prompt is None else [prompt.prompt]
    everything: list[Message] = [] if prompt.system is None else [{"role": "system", "content": prompt.system}]
    everything += prompt.messages
    if question:
        everything.append({"role": "user", "content": "\n\n".join(question)})
    return sorted(everything, key=lambda message: message["role"] != "system") if is_stable else everything


def _without_blanks(message: Message) -> Message:
    pieces = _FENCED.split(message["content"])
    squeezed = [piece if index % 2 else _squeezed(piece) for index, piece in enumerate(pieces)]
    return {"role": message["role"], "content": "".join(squeezed).strip()}


def _squeezed(text: str) -> str:
    """Indentation stays: it can mean something."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    text = re.sub(r"(\S)[ \t]{2,}", r"\1 ", text)
    return re.sub(r"\n{3,}", "\n\n", text)


def _without_duplicates(messages: list[Message]) -> list[Message]:
    seen: set[str] = set()

    def is_kept(unit: str) -> bool:
        text = unit.strip()
        if len(text) < _DUPLICATE_LENGTH_MIN:
            return True
        is_new = text not in seen
        seen.add(text)
        return is_new

    kept: list[Message] = []
    for message in messages:
        content = message["content"]
        if message["role"] != "assistant":
            content = "".join(unit for unit in _units_of(content) if is_kept(unit)).strip() or content
        kept.append({"role": message["role"], "content": content})
    return kept


def _units_of(text: str) -> list[str]:
    """Paragraphs and code blocks, each with the empty lines after it."""
    units: list[str] = []
    for index, piece in enumerate(_FENCED.split(text)):
        units += [piece] if index % 2 else re.split(r"(?<=\n\n)", piece)
    return units
