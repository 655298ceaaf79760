"""A callback for LiteLLM: `litellm.callbacks = [LiteLLMCallback(optimizer)]`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from ._clock import milliseconds, timestamp
from ._context import attribution_here
from ._optimizer import AICostOptimizer, AsyncAICostOptimizer
from ._reply import Json, Reply, is_object, prompt_of
from ._types import Attributing

# Whose replies tell what they cost.
_TELLING_COSTS = frozenset(("openrouter", "perplexity", "xai"))
# Whose streams tell their counts only to who asks.
_SILENT = frozenset(("openai", "azure"))
# Characters of prompt and answer that are kept at most.
_TEXT_LENGTH_MAX = 256 * 1024
# Calls that are under way; of older ones it is forgotten what was said around them.
_CALLS_MAX = 10_000
# LiteLLM's names of providers that the tracker knows by another one.
_SERVICES = {"gemini": "google", "vertex_ai": "google", "vertex_ai_beta": "google", "azure_ai": "azure"}


class LiteLLMCallback(CustomLogger):
    """Records every call that LiteLLM makes, whoever answers."""

    def __init__(
        self, optimizer: AICostOptimizer | AsyncAICostOptimizer, attribution: Attributing | None = None
    ) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._optimizer = optimizer
        self._attribution: Attributing = attribution or {}
        # What the code around each call says, by LiteLLM's id of it.
        self._around: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def log_pre_api_call(self, model: str, messages: Any, kwargs: Json) -> None:
        """LiteLLM tells of the end in a thread of its own; this is where the call is made."""
        self._around[str(kwargs.get("litellm_call_id"))] = attribution_here()
        while len(self._around) > _CALLS_MAX:
            self._around.popitem(last=False)

    def log_success_event(self, kwargs: Json, response_obj: Any, start_time: datetime, end_time: datetime) -> None:
        reply = Reply(_TEXT_LENGTH_MAX)
        reply.add(_plain(response_obj))
        facts = self._facts(kwargs, start_time, end_time, reply.id)
        usage: Json = reply.digest.get("usage") or {}
        if facts["service"] not in _TELLING_COSTS:
            # LiteLLM's own reckoning, in floats; the tracker's is exact.
            usage.pop("cost", None)
        texts: Json = {}
        if _is_uncounted(kwargs, facts["service"], usage):
            reply.digest.pop("usage", None)
            if self._optimizer.sends_texts:
                prompt = prompt_of({"messages": kwargs.get("messages")}, _TEXT_LENGTH_MAX)
                texts = {"prompt": prompt, "completion": reply.text}
        self._record({**facts, "usage": reply.digest, **texts, "status": "success"})

    def log_failure_event(self, kwargs: Json, response_obj: Any, start_time: datetime, end_time: datetime) -> None:
        error = kwargs.get("exception")
        status = getattr(error, "status_code", None)
        facts = self._facts(kwargs, start_time, end_time, None)
        failed: Json = {"status": "error", "errorCode": str(status or type(error).__name__), "errorMessage": str(error)}
        # Providers do not charge for what they refuse.
        self._record({**facts, **failed, "cost": 0 if isinstance(status, int) and status >= 400 else None})

    async def async_log_success_event(self, kwargs: Json, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(self, kwargs: Json, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def _facts(self, kwargs: Json, start: datetime, end: datetime, reply_id: str | None) -> Json:
        parameters: Json = kwargs.get("litellm_params") or {}
        provider: object = kwargs.get("custom_llm_provider") or parameters.get("custom_llm_provider")
        service = _SERVICES.get(str(provider), str(provider or ""))
        # The same call may be told of more than once.
        identity = f"reply:{service}:{reply_id}" if reply_id else f"litellm:{kwargs.get('litellm_call_id')}"
        around = self._around.pop(str(kwargs.get("litellm_call_id")), {})
        return {
            **around,
            "service": service,
            "model": kwargs.get("model"),
            "requestId": identity,
            "timestamp": timestamp(start.timestamp()),
            "responseTime": milliseconds(start.timestamp(), end.timestamp()),
        }

    def _record(self, record: Json) -> None:
        self._optimizer.queue_attributed(record, self._attribution)


def _is_uncounted(kwargs: Json, service: str, usage: Json) -> bool:
    """Whether the provider told no counts: LiteLLM makes up its own then, or zeros."""
    parameters: Json = kwargs.get("optional_params") or {}
    asked: Json = parameters.get("stream_options") or {}
    is_silent = service in _SILENT and bool(kwargs.get("stream")) and not asked.get("include_usage")
    return is_silent or not any(usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))


def _plain(response: Any) -> Json:
    plain = response.model_dump() if hasattr(response, "model_dump") else response
    return plain if is_object(plain) else {}
