"""Metering official clients in place. What a client is, is told by what it has; nothing is imported."""

from __future__ import annotations

import json
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from ._bedrock import observe_bedrock
from ._call import Call, End
from ._http import Metering, meter_http_client
from ._reply import is_object
from ._target import target_of

_observed: weakref.WeakSet[Any] = weakref.WeakSet()


def observe_client(client: Any, metering_for: Callable[[str], Metering]) -> None:
    """Meters `client`, once. Raises TypeError for what is no client that can be metered."""
    if client in _observed:
        return
    service_model = getattr(getattr(client, "meta", None), "service_model", None)
    http = getattr(client, "_client", None)
    if getattr(service_model, "service_name", None) == "bedrock-runtime":
        observe_bedrock(client, metering_for("bedrock"))
    elif hasattr(getattr(client, "_api_client", None), "request_streamed"):
        _observe_google(client._api_client, metering_for("google"))
    elif hasattr(http, "_transport") and (hasattr(client, "chat") or hasattr(client, "messages")):
        # The HTTP client may be shared by several clients; the same holds for it.
        if http not in _observed:
            meter_http_client(http, metering_for("openai" if hasattr(client, "chat") else "anthropic"))
            _observed.add(http)
    else:
        raise TypeError("observe() takes a client of openai, anthropic, google-genai or boto3's bedrock-runtime")
    _observed.add(client)


def _observe_google(api: Any, metering: Metering) -> None:
    """`google-genai` sends everything through four functions, whatever carries it."""
    request, request_streamed = api.request, api.request_streamed
    async_request, async_request_streamed = api.async_request, api.async_request_streamed

    def begin(method: str, path: str, body: object) -> Call | None:
        try:
            base_url = str(api._http_options.base_url).rstrip("/")
            url = f"{base_url}/{path.split('?', maxsplit=1)[0]}"
            target = (
                None if method.upper() != "POST" or metering.is_gateway(url) else target_of(url, None, metering.service)
            )
            return None if target is None else metering.begin(target, body)
        except Exception:
            return None

    def metered(method: str, path: str, body: Any, *rest: Any, **options: Any) -> Any:
        call = begin(method, path, body)
        try:
            response = request(method, path, body, *rest, **options)
        except BaseException as error:
            _fails(call, error)
            raise
        _sees(call, response)
        _ends(call, "whole")
        return response

    async def async_metered(method: str, path: str, body: Any, *rest: Any, **options: Any) -> Any:
        call = begin(method, path, body)
        try:
            response = await async_request(method, path, body, *rest, **options)
        except BaseException as error:
            _fails(call, error)
            raise
        _sees(call, response)
        _ends(call, "whole")
        return response

    def streamed(method: str, path: str, body: Any, *rest: Any, **options: Any) -> Iterator[Any]:
        call = begin(method, path, body)
        try:
            for chunk in request_streamed(method, path, body, *rest, **options):
                _sees(call, chunk, is_piece=True)
                yield chunk
            _ends(call, "whole")
        except GeneratorExit:
            _ends(call, "left")
            raise
        except BaseException as error:
            _fails(call, error)
            raise

    async def async_streamed(method: str, path: str, body: Any, *rest: Any, **options: Any) -> AsyncIterator[Any]:
        call = begin(method, path, body)
        try:
            chunks = await async_request_streamed(method, path, body, *rest, **options)
        except BaseException as error:
            _fails(call, error)
            raise
        return _async_watched(chunks, call)

    api.request, api.request_streamed = metered, streamed
    api.async_request, api.async_request_streamed = async_metered, async_streamed


async def _async_watched(chunks: AsyncIterator[Any], call: Call | None) -> AsyncIterator[Any]:
    try:
        async for chunk in chunks:
            _sees(call, chunk, is_piece=True)
            yield chunk
        _ends(call, "whole")
    except GeneratorExit:
        _ends(call, "left")
        raise
    except BaseException as error:
        _fails(call, error)
        raise


def _sees(call: Call | None, response: Any, *, is_piece: bool = False) -> None:
    if call is None:
        return
    try:
        if is_piece:
            call.begins()
        call.add(json.loads(response.body))
    except Exception:
        return


def _ends(call: Call | None, end: End) -> None:
    if call is not None:
        call.ends(end, 200)


def _fails(call: Call | None, error: BaseException) -> None:
    """Errors of the API have a code; without one there was no answer."""
    if call is None:
        return
    code, details = getattr(error, "code", None), getattr(error, "details", None)
    if isinstance(code, int):
        call.ends("whole", code, details if is_object(details) else str(error))
    elif call.has_begun:
        call.ends("left" if type(error).__name__ == "CancelledError" else "cut", 200)
    else:
        call.ends("unreachable" if "Connect" in type(error).__name__ else "aborted")
