"""What a client saw → the record that the tracker gets; the same files hold the TypeScript SDK to the same."""

import asyncio
import json
from pathlib import Path

import httpx
import httpx2
import pytest
from manual_clock import ManualClock

from ai_cost_tracker._call import Call, Context
from ai_cost_tracker._http import Metering, meter_http_client
from ai_cost_tracker._target import service_at, target_of

FOLDER = Path(__file__).parents[2] / "fixtures"
NAMES = sorted(path.stem for path in FOLDER.iterdir())


class Played:
    """What is sent, seen and recorded when a fixture is played."""

    def __init__(self, name):
        self.fixture = json.loads((FOLDER / f"{name}.json").read_text())
        self.end = self.fixture.get("end", "whole")
        self.records = []
        self.sent = None
        self.seen = None
        context = Context(ManualClock(), self.fixture.get("sendTexts", "uncounted"), self.records.append)
        attribution = self.fixture.get("attribution", {})
        begin = lambda target, request: Call(target, request, attribution, context)  # noqa: E731
        self.metering = Metering(begin, self.fixture["client"], False, lambda url: False)

    def answer(self, httpx_module, stream_of):
        if self.end == "unreachable":
            raise httpx_module.ConnectError("nobody there")
        if self.end == "aborted":
            raise httpx_module.ReadTimeout("nobody answered")
        response = self.fixture["response"]
        body = response["body"].encode()
        thirds = [body[len(body) * at // 3 : len(body) * (at + 1) // 3] for at in range(3)]
        stream = stream_of(thirds, self.end == "cut", httpx_module)
        return httpx_module.Response(response["status"], headers={"content-type": response["type"]}, stream=stream)

    def request(self, client):
        body = self.fixture["request"]["body"]
        content = None if body is None else json.dumps(body)
        return client.build_request(
            "POST", self.fixture["request"]["url"], content=content, headers={"content-type": "application/json"}
        )

    def took(self, request):
        self.sent = json.loads(request.content) if request.content else None

    def check(self):
        fixture = self.fixture
        assert self.records == ([] if fixture["record"] is None else [fixture["record"]])
        if self.sent is not None:
            assert self.sent == fixture.get("sent", fixture["request"]["body"])
        if self.seen is not None:
            assert self.seen == fixture.get("seen", fixture.get("response", {}).get("body"))


def sync_stream(pieces, is_cut, module):
    class Stream(module.SyncByteStream):
        def __iter__(self):
            yield from pieces
            if is_cut:
                raise module.RemoteProtocolError("cut")

    return Stream()


def async_stream(pieces, is_cut, module):
    class Stream(module.AsyncByteStream):
        async def __aiter__(self):
            for piece in pieces:
                yield piece
            if is_cut:
                raise module.RemoteProtocolError("cut")

    return Stream()


def play(name, module):
    played = Played(name)

    def handle(request):
        played.took(request)
        return played.answer(module, sync_stream)

    client = module.Client(transport=module.MockTransport(handle))
    meter_http_client(client, played.metering)
    seen = b""
    try:
        response = client.send(played.request(client), stream=True)
        length = len(played.fixture["response"]["body"].encode())
        for piece in response.iter_raw():
            seen += piece
            if played.end == "left" and len(seen) >= length:
                break
        response.close()
    except (module.ConnectError, module.ReadTimeout):
        return played
    except module.RemoteProtocolError:
        pass
    played.seen = seen.decode()
    return played


async def play_async(name, module):
    played = Played(name)

    async def handle(request):
        played.took(request)
        return played.answer(module, async_stream)

    client = module.AsyncClient(transport=module.MockTransport(handle))
    meter_http_client(client, played.metering)
    seen = b""
    try:
        response = await client.send(played.request(client), stream=True)
        length = len(played.fixture["response"]["body"].encode())
        async for piece in response.aiter_raw():
            seen += piece
            if played.end == "left" and len(seen) >= length:
                break
        await response.aclose()
    except (module.ConnectError, module.ReadTimeout):
        return played
    except module.RemoteProtocolError:
        pass
    played.seen = seen.decode()
    return played


def play_documents(name):
    """Clients that hand over documents instead of bytes."""
    played = Played(name)
    fixture = played.fixture
    url = fixture["request"]["url"]
    call = played.metering.begin(target_of(url, None, service_at(url, fixture["client"])), fixture["request"]["body"])
    if url.endswith("stream"):
        call.begins()
    for document in fixture["response"]["documents"]:
        call.add(document)
    call.ends(played.end, fixture["response"]["status"])
    return played


@pytest.mark.parametrize("name", NAMES)
def test_fixture(name):
    fixture = json.loads((FOLDER / f"{name}.json").read_text())
    if "documents" in fixture.get("response", {}):
        play_documents(name).check()
        return
    for module in (httpx, httpx2):
        play(name, module).check()
        asyncio.run(play_async(name, module)).check()
