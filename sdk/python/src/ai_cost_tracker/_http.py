"""Metering the HTTP client inside of an official client: what passes is not changed, and nothing waits for the tracker.

Clients are built on httpx or on its fork httpx2; nothing of either is imported, so that both fit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ._call import Call, End
from ._sse import Events, asking_for_usage, data_of, is_done, without_usage
from ._target import Target, service_at, target_of

# A reply that is read to learn what it cost; longer ones are not.
_REPLY_BYTES_MAX = 64 * 1024 * 1024
# Exceptions that say that the request may have been answered, so that nobody knows whether it is charged.
_GAVE_UP = ("ReadTimeout", "ReadError", "RemoteProtocolError", "CancelledError", "KeyboardInterrupt")


@dataclass
class Metering:
    begin: Callable[[Target, object], Call]
    # Whose replies they are where the host does not tell.
    service: str
    # Whether the service is certain, whatever the host.
    is_service_given: bool
    # The tracker's own gateway records its calls itself.
    is_gateway: Callable[[str], bool]


def meter_http_client(http: Any, metering: Metering) -> None:
    """Meters every transport of an `httpx` or `httpx2` client in place."""
    transports = [http._transport, *http._mounts.values()]
    for transport in transports:
        if transport is None:
            continue
        if hasattr(transport, "handle_request"):
            transport.handle_request = _metered(transport.handle_request, metering)
        if hasattr(transport, "handle_async_request"):
            transport.handle_async_request = _async_metered(transport.handle_async_request, metering)


def _metered(send: Callable[[Any], Any], metering: Metering) -> Callable[[Any], Any]:
    def handle_request(request: Any) -> Any:
        begun = _begin(request, metering)
        if begun is None:
            return send(request)
        call, asking = begun
        try:
            response = send(asking or request)
            if asking is not None and response.status_code == 400:
                response.read()
                if _refuses_to_tell(response):
                    asking, response = None, send(request)
        except BaseException as error:
            call.ends(_end_by(error))
            raise
        return _watch(response, call, hides_usage=asking is not None)

    return handle_request


def _async_metered(send: Callable[[Any], Any], metering: Metering) -> Callable[[Any], Any]:
    async def handle_async_request(request: Any) -> Any:
        begun = _begin(request, metering)
        if begun is None:
            return await send(request)
        call, asking = begun
        try:
            response = await send(asking or request)
            if asking is not None and response.status_code == 400:
                await response.aread()
                if _refuses_to_tell(response):
                    asking, response = None, await send(request)
        except BaseException as error:
            call.ends(_end_by(error))
            raise
        return _watch(response, call, hides_usage=asking is not None)

    return handle_async_request


def _end_by(error: BaseException) -> End:
    return "aborted" if type(error).__name__ in _GAVE_UP else "unreachable"


def _refuses_to_tell(response: Any) -> bool:
    """Whether it was the question for usage that was refused: then the caller's own request goes out as it was."""
    return b"stream_options" in response.content


def _begin(request: Any, metering: Metering) -> tuple[Call, Any] | None:
    """The call that begins, and the request with the question for usage if there is one to ask."""
    try:
        url = str(request.url)
        if request.method != "POST" or metering.is_gateway(url):
            return None
        body = _body_of(request)
        service = metering.service if metering.is_service_given else service_at(url, metering.service)
        target = target_of(url, body, service)
        if target is None:
            return None
        asking = None if service == "anthropic" else asking_for_usage(body, target.operation)
        return metering.begin(target, body), None if asking is None else _with_body(request, asking)
    except Exception:
        # What cannot be understood is not metered; it is the caller's all the same.
        return None


def _body_of(request: Any) -> object:
    if "json" in request.headers.get("content-type", ""):
        return json.loads(request.content)
    # Uploads name their model in a field of a form.
    for field in getattr(request.stream, "fields", ()):
        if getattr(field, "name", None) == "model":
            return {"model": field.value}
    return None


def _with_body(request: Any, body: bytes) -> Any:
    headers = [(name, value) for name, value in request.headers.multi_items() if name != "content-length"]
    # Compressed events could not be taken out of the stream again.
    headers = [(name, value) for name, value in headers if name != "accept-encoding"] + [
        ("accept-encoding", "identity")
    ]
    asking = type(request)(request.method, request.url, headers=headers, content=body)
    asking.extensions = request.extensions
    return asking


def _watch(response: Any, call: Call, hides_usage: bool) -> Any:
    try:
        if "x-cost-request-id" in response.headers:
            return response  # The gateway has recorded it.
        if response.is_stream_consumed:
            call.ends("whole", response.status_code, json.loads(response.content))
            return response
        watcher = _Watcher(response, call, hides_usage)
        bases = {base.__name__: base for base in type(response.stream).__mro__}
        streams = [bases[name] for name in ("SyncByteStream", "AsyncByteStream") if name in bases]
        kind = type("MeteredStream", (_Stream, *streams), {})
        response.stream = kind(response.stream, watcher)
    except Exception:
        call.ends("whole", response.status_code)
    return response


class _Watcher:
    """Reads along: events as they come, anything else when it has ended."""

    def __init__(self, response: Any, call: Call, hides_usage: bool) -> None:
        self._response, self._call = response, call
        self._kind: str = response.headers.get("content-type", "")
        self._is_encoded = response.headers.get("content-encoding", "identity") != "identity"
        self._is_stream = "event-stream" in self._kind and response.status_code < 400
        self._hides_usage = hides_usage and self._is_stream and not self._is_encoded
        self._events = Events()
        self._pieces: list[bytes] = []
        self._length = 0

    def see(self, piece: bytes) -> bytes:
        """What may pass of the next piece."""
        try:
            if self._is_stream:
                self._call.begins()
            if self._is_stream and not self._is_encoded:
                return self._read(piece, self._events.push(piece))
            self._length += len(piece)
            if self._length <= _REPLY_BYTES_MAX:
                self._pieces.append(piece)
        except Exception:
            self._hides_usage = False
        return piece

    def rest(self) -> bytes:
        """What is left of the stream at its end."""
        rest = self._read(b"", [self._events.rest()])
        return rest if self._hides_usage else b""

    def ends(self, end: End) -> None:
        status: int = self._response.status_code
        documents: list[Any] = []
        try:
            documents = self._read_whole() if self._pieces else []
            if self._is_encoded and self._is_stream:
                self._call.completes()
        except Exception:
            documents = []
        if status >= 400:
            self._call.ends(end, status, documents[0] if documents else None)
            return
        for document in documents:
            self._call.add(document)
        self._call.ends(end, status)

    def _read(self, piece: bytes, events: list[bytes]) -> bytes:
        for event in events:
            if is_done(event):
                self._call.completes()
            self._call.add(data_of(event))
        return b"".join(map(without_usage, events)) if self._hides_usage else piece

    def _read_whole(self) -> list[Any]:
        """The documents of a reply that was kept whole."""
        body = b"".join(self._pieces)
        if self._is_encoded:
            # The client's own decoders.
            headers = {"content-encoding": self._response.headers["content-encoding"]}
            body = type(self._response)(200, headers=headers, content=body).content
        self._pieces = []
        if self._is_stream:
            events = Events()
            return [data_of(event) for event in (*events.push(body), events.rest())]
        return [json.loads(body)] if "json" in self._kind else []


class _Stream:
    """The body of a response, watched; httpx asks for one of its own kinds, which is mixed in."""

    def __init__(self, inner: Any, watcher: _Watcher) -> None:
        self._inner, self._watcher = inner, watcher

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._inner:
                if passing := self._watcher.see(piece):
                    yield passing
            if rest := self._watcher.rest():
                yield rest
        except GeneratorExit:
            raise
        except BaseException:
            self._watcher.ends("cut")
            raise
        self._watcher.ends("whole")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._inner:
                if passing := self._watcher.see(piece):
                    yield passing
            if rest := self._watcher.rest():
                yield rest
        except GeneratorExit:
            raise
        except BaseException as error:
            self._watcher.ends("left" if type(error).__name__ == "CancelledError" else "cut")
            raise
        self._watcher.ends("whole")

    def close(self) -> None:
        try:
            self._inner.close()
        finally:
            self._watcher.ends("left")

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            self._watcher.ends("left")
