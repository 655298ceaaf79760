"""A callback for LiteLLM: `litellm.callbacks = [LiteLLMCallback(optimizer)]`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from ._clock import milliseconds, timestamp
from ._optimizer import AICostOptimizer, AsyncAICostOptimizer
from ._reply import Json, Reply, is_object
from ._types import Attributing

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

    def log_success_event(self, kwargs: Json, response_obj: Any, start_time: datetime, end_time: datetime) -> None:
        reply = Reply(0)
        reply.add(_plain(response_obj))
        facts = self._facts(kwargs, start_time, end_time, reply.id)
        self._record({**facts, "usage": reply.digest, "status": "success"})

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
        return {
            "service": service,
            "model": kwargs.get("model"),
            "requestId": identity,
            "timestamp": timestamp(start.timestamp()),
            "responseTime": milliseconds(start.timestamp(), end.timestamp()),
        }

    def _record(self, record: Json) -> None:
        self._optimizer.queue_attributed(record, self._attribution)


def _plain(response: Any) -> Json:
    plain = response.model_dump() if hasattr(response, "model_dump") else response
    return plain if is_object(plain) else {}
