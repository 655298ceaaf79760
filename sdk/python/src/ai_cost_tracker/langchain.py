"""A handler for LangChain: `model.invoke(…, config={"callbacks": [CostTrackingHandler(optimizer)]})`."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult

from ._clock import SystemClock, milliseconds, timestamp
from ._optimizer import AICostOptimizer, AsyncAICostOptimizer
from ._reply import Json
from ._types import Attributing

# Runs that are under way; older ones are forgotten, and recorded without their times.
_RUNS_MAX = 10_000
# LangChain's names of providers that the tracker knows by another one.
_SERVICES = {"google_genai": "google", "google_vertexai": "google", "amazon_bedrock": "bedrock", "azure": "azure"}
# LangChain's counts are totals with their parts inside, as the tracker's are.
_DETAILS = {
    "input_token_details": {
        "cache_read": "cacheReadTokens",
        "cache_creation": "cacheWriteTokens",
        "audio": "audioInputTokens",
    },
    "output_token_details": {"reasoning": "reasoningTokens", "audio": "audioOutputTokens"},
}


class CostTrackingHandler(BaseCallbackHandler):
    """Records every call of a model."""

    def __init__(
        self, optimizer: AICostOptimizer | AsyncAICostOptimizer, attribution: Attributing | None = None
    ) -> None:
        self._optimizer = optimizer
        self._attribution: Attributing = attribution or {}
        self._clock = SystemClock()
        self._runs: OrderedDict[UUID, tuple[float, Json]] = OrderedDict()

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._starts(run_id, kwargs)

    def on_llm_start(self, serialized: Any, prompts: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._starts(run_id, kwargs)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        facts = self._facts(run_id)
        for index, generations in enumerate(response.generations):
            message = getattr(generations[0], "message", None) if generations else None
            told: Json = dict(getattr(message, "response_metadata", None) or {})
            reply_id = told.get("id")
            identity = f"reply:{facts['service']}:{reply_id}" if reply_id else f"langchain:{run_id}:{index}"
            answered = told.get("model_name") or told.get("model")
            model = facts["model"] or answered or "unknown"
            usage = _usage_of(message, response.llm_output)
            record = {**facts, "model": model, "responseModel": answered, "requestId": identity, "status": "success"}
            self._optimizer.queue_attributed({**record, **usage}, self._attribution)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        status = getattr(error, "status_code", None)
        facts = self._facts(run_id)
        failed: Json = {"status": "error", "errorCode": str(status or type(error).__name__), "errorMessage": str(error)}
        record = {**facts, **failed, "model": facts["model"] or "unknown", "requestId": f"langchain:{run_id}"}
        # Providers do not charge for what they refuse.
        record["cost"] = 0 if isinstance(status, int) and status >= 400 else None
        self._optimizer.queue_attributed(record, self._attribution)

    def _starts(self, run_id: UUID, kwargs: Json) -> None:
        self._runs[run_id] = (self._clock.now(), kwargs.get("metadata") or {})
        while len(self._runs) > _RUNS_MAX:
            self._runs.popitem(last=False)

    def _facts(self, run_id: UUID) -> Json:
        now = self._clock.now()
        started_at, told = self._runs.pop(run_id, (now, {}))
        provider = told.get("ls_provider")
        return {
            "service": _SERVICES.get(str(provider), provider),
            "model": told.get("ls_model_name"),
            "operation": "chat",
            "timestamp": timestamp(started_at),
            "responseTime": milliseconds(started_at, now),
        }


def _usage_of(message: Any, llm_output: Json | None) -> Json:
    counted: Json | None = getattr(message, "usage_metadata", None)
    if counted is None:
        usage = (llm_output or {}).get("token_usage")
        return {"usage": usage} if usage else {}
    usage = {"promptTokens": counted["input_tokens"], "completionTokens": counted["output_tokens"]}
    for place, names in _DETAILS.items():
        details: Json = counted.get(place) or {}
        usage |= {name: details[part] for part, name in names.items() if details.get(part) is not None}
    return usage
