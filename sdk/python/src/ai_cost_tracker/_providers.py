"""How `optimize` asks each provider, and where its reply has text and counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ._reply import Json, is_list, is_object
from ._sigv4 import AwsCredentials, signed
from ._types import Message, Provider, TokenCounts

# Anthropic insists on a limit.
_ANTHROPIC_TOKENS_MAX = 4096


@dataclass(frozen=True)
class Ask:
    """What is asked, whoever answers."""

    model: str
    messages: list[Message]
    max_tokens: int | None = None
    temperature: float | None = None
    # Fields that go into the provider's request as they are.
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Access:
    provider: Provider
    api_key: str | AwsCredentials
    region: str
    base_url: str | None


@dataclass(frozen=True)
class ProviderRequest:
    """A POST to a provider."""

    url: str
    headers: dict[str, str]
    body: Json
    content: bytes


_BASE_URLS: dict[Provider, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
    "bedrock": "https://bedrock-runtime.{region}.amazonaws.com",
}
_PATHS: dict[Provider, str] = {
    "openai": "/chat/completions",
    "anthropic": "/v1/messages",
    "google": "/v1beta/models/{model}:generateContent",
    "bedrock": "/model/{model}/converse",
}
# Input and output, in the provider's own terms brought to totals.
_COUNTS: dict[Provider, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "openai": ("usage", ("prompt_tokens",), ("completion_tokens",)),
    "anthropic": (
        "usage",
        ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
        ("output_tokens",),
    ),
    "google": (
        "usageMetadata",
        ("promptTokenCount", "toolUsePromptTokenCount"),
        ("candidatesTokenCount", "thoughtsTokenCount"),
    ),
    "bedrock": ("usage", ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"), ("outputTokens",)),
}


def request_of(access: Access, ask: Ask, now: float) -> ProviderRequest:
    """The request as the provider takes it."""
    provider = access.provider
    base = access.base_url or _BASE_URLS[provider].format(region=access.region)
    url = base.rstrip("/") + _PATHS[provider].format(model=quote(ask.model, safe=""))
    body = {**_without_none(_body(provider, ask)), **(ask.extra or {})}
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = {"content-type": "application/json"}
    if isinstance(access.api_key, AwsCredentials):
        headers = signed(url, headers, content, credentials=access.api_key, region=access.region, now=now)
    else:
        headers |= _authorization(provider, access.api_key)
    return ProviderRequest(url, headers, body, content)


def _authorization(provider: Provider, api_key: str) -> dict[str, str]:
    if provider == "anthropic":
        return {"x-api-key": api_key, "anthropic-version": "2023-06-01"}
    if provider == "google":
        return {"x-goog-api-key": api_key}
    return {"authorization": f"Bearer {api_key}"}


def _body(provider: Provider, ask: Ask) -> Json:
    if provider == "openai":
        return {
            "model": ask.model,
            "messages": ask.messages,
            "max_completion_tokens": ask.max_tokens,
            "temperature": ask.temperature,
        }
    system = [message["content"] for message in ask.messages if message["role"] == "system"]
    turns = [message for message in ask.messages if message["role"] != "system"]
    if provider == "anthropic":
        return {
            "model": ask.model,
            "max_tokens": ask.max_tokens or _ANTHROPIC_TOKENS_MAX,
            "temperature": ask.temperature,
            "system": "\n\n".join(system) or None,
            "messages": turns,
        }
    instructions = [{"text": text} for text in system]
    if provider == "google":
        role = {"user": "user", "assistant": "model"}
        return {
            "systemInstruction": {"parts": instructions} if system else None,
            "contents": [{"role": role[turn["role"]], "parts": [{"text": turn["content"]}]} for turn in turns],
            "generationConfig": {"maxOutputTokens": ask.max_tokens, "temperature": ask.temperature},
        }
    return {
        "system": instructions or None,
        "messages": [{"role": turn["role"], "content": [{"text": turn["content"]}]} for turn in turns],
        "inferenceConfig": {"maxTokens": ask.max_tokens, "temperature": ask.temperature},
    }


def _without_none(value: Json) -> Json:
    inner = {key: _without_none(item) if is_object(item) else item for key, item in value.items()}
    return {key: item for key, item in inner.items() if item is not None}


def text_of(provider: Provider, reply: Json) -> str:
    if provider == "openai":
        return str(_at(reply, "choices", 0, "message", "content") or "")
    if provider == "anthropic":
        parts = reply.get("content")
    elif provider == "google":
        parts = _at(reply, "candidates", 0, "content", "parts")
    else:
        parts = _at(reply, "output", "message", "content")
    texts = [part.get("text", "") for part in parts if is_object(part)] if is_list(parts) else []
    return "".join(text for text in texts if isinstance(text, str))


def counts_of(provider: Provider, reply: Json) -> TokenCounts:
    place, inputs, outputs = _COUNTS[provider]
    usage = reply.get(place)

    def total(keys: tuple[str, ...]) -> int | None:
        counted = [usage[key] for key in keys if isinstance(usage.get(key), int)] if is_object(usage) else []
        return sum(counted) if counted else None

    return TokenCounts(total(inputs), total(outputs))


def _at(value: Any, *path: str | int) -> Any:
    for key in path:
        if is_object(value):
            value = value.get(str(key))
        elif is_list(value) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value
