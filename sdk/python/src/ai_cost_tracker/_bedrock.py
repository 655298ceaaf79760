"""Metering boto3's `bedrock-runtime` through its own events.
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from ._call import Call
from ._http import Metering
from ._reply import is_object
from ._target import target_of

# Operations that are charged for, and the paths that they are sent to.
_PATHS = {
    "Converse": "converse",
    "ConverseStream": "converse-stream",
    "InvokeModel": "invoke",
    "InvokeModelWithResponseStream": "invoke-with-response-stream",
}
# Bedrock's own counts of an invocation, in headers; for models whose replies have none.
_COUNTED_IN_HEADERS = {
    "x-amzn-bedrock-input-token-count": "inputTokenCount",
    "x-amzn-bedrock-output-token-count": "outputTokenCount",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokenCount",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokenCount",
}
_CALL = "ai_cost_tracker_call"


def observe_bedrock(client: Any, metering: Metering) -> None:
    base_url = str(client.meta.endpoint_url).rstrip("/")

    def begin(params: Any, model: Any, context: Any, **_: Any) -> None:
        try:
            path = _PATHS.get(model.name)
            asked = context.get("ai_cost_tracker_parameters", {})
            url = f"{base_url}/model/{quote(asked.get('modelId', ''), safe='')}/{path}"
            if path is None or metering.is_gateway(url):
                return
            request = asked if path.startswith("converse") else _json(asked.get("body"))
            target = target_of(url, None, metering.service)
            if target is not None:
                context[_CALL] = metering.begin(target, request)
        except Exception:
            return

    def remember(params: Any, context: Any, **_: Any) -> None:
        context["ai_cost_tracker_parameters"] = dict(params)

    def end(parsed: Any, context: Any, http_response: Any, **_: Any) -> None:
        call = context.pop(_CALL, None)
        if call is None:
            return
        try:
            _watch(parsed, call, {name.lower(): value for name, value in http_response.headers.items()})
        except Exception:
            call.ends("whole", 200)

    def fail(exception: BaseException, context: Any, **_: Any) -> None:
        call = context.pop(_CALL, None)
        if call is not None:
            call.ends("aborted" if "Read" in type(exception).__name__ else "unreachable")

    for operation in _PATHS:
        client.meta.events.register(f"before-parameter-build.bedrock-runtime.{operation}", remember)
        client.meta.events.register(f"before-call.bedrock-runtime.{operation}", begin)
        client.meta.events.register(f"after-call.bedrock-runtime.{operation}", end)
        client.meta.events.register(f"after-call-error.bedrock-runtime.{operation}", fail)


def _watch(parsed: Any, call: Call, headers: dict[str, str]) -> None:
    status = parsed["ResponseMetadata"]["HTTPStatusCode"]
    if status >= 400:
        call.ends("whole", status, parsed.get("Error"))
        return
    for key in ("stream", "body"):
        source = parsed.get(key)
        if source is not None and hasattr(source, "__iter__") and not hasattr(source, "read"):
            parsed[key] = _Events(source, call)
            return
    body = parsed.get("body")
    if body is None:
        call.add({key: value for key, value in parsed.items() if key != "ResponseMetadata"})
        _ends_by_headers(call, headers)
    else:
        body._raw_stream = _Body(body._raw_stream, call, headers)


def _ends_by_headers(call: Call, headers: dict[str, str]) -> None:
    counts = {
        name: int(headers[header]) for header, name in _COUNTED_IN_HEADERS.items() if headers.get(header, "").isdigit()
    }
    if counts and not call.reply.is_counted:
        call.add({"amazon-bedrock-invocationMetrics": counts})
    call.ends("whole", 200)


class _Events:
    """An event stream, watched; whatever else it can, it still can."""

    def __init__(self, source: Any, call: Call) -> None:
        self._source, self._call = source, call

    def __iter__(self) -> Iterator[Any]:
        try:
            for event in self._source:
                self._call.begins()
                chunk = event.get("chunk") if is_object(event) else None
                self._call.add(_json(chunk.get("bytes")) if is_object(chunk) else event)
                yield event
            self._call.ends("whole", 200)
        except GeneratorExit:
            self._call.ends("left", 200)
            raise
        except BaseException:
            self._call.ends("cut", 200)
            raise

    def close(self) -> None:
        self._source.close()
        self._call.ends("left", 200)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class _Body:
    """The raw body of a reply, kept while it is read."""

    def __init__(self, source: Any, call: Call, headers: dict[str, str]) -> None:
        self._source, self._call, self._headers = source, call, headers
        self._seen = io.BytesIO()

    def read(self, *args: Any, **options: Any) -> Any:
        piece = self._source.read(*args, **options)
        self._seen.write(piece)
        amount = args[0] if args else options.get("amt")
        if amount is None or (amount > 0 and not piece):
            self._call.add(_json(self._seen.getvalue()))
            _ends_by_headers(self._call, self._headers)
        return piece

    def close(self) -> None:
        self._source.close()
        self._call.ends("left", 200)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def _json(body: object) -> object:
    """JSON in bytes or text; None where it is something else."""
    try:
        document: object = json.loads(body) if isinstance(body, (str, bytes, bytearray)) else None
    except ValueError:
        return None
    return document
