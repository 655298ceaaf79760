"""A TCP forwarder that keeps what passes through it, so that any client's exchange can be looked at byte by byte."""

import gzip
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

WAIT_SECONDS = 20


@dataclass
class Exchange:
    """One request and its reply."""

    method: str
    target: str
    request_headers: list[tuple[str, str]]
    request_body: bytes
    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """Forwards connections to `upstream`. Clients use `url` in place of the upstream's."""

    def __init__(self, upstream: str):
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname, parts.port)
        self._connections: list[_Connection] = []
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self) -> list[Exchange]:
        """Every exchange since the last call, once their replies are whole."""
        with self._changed:
            whole = self._changed.wait_for(lambda: all(c.is_whole() for c in self._connections), WAIT_SECONDS)
            if not whole:
                raise AssertionError(f"a reply of {self._upstream} never ended")
            return [exchange for connection in self._connections for exchange in connection.take()]

    def forget(self):
        """Forgets what is half done: a call went wrong."""
        with self._changed:
            self._connections.clear()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            upstream = socket.create_connection(self._upstream)
            connection = _Connection()
            with self._changed:
                self._connections.append(connection)
            for end in (client, upstream):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for pump in (self._pump_requests, self._pump_replies):
                threading.Thread(target=pump, args=(client, upstream, connection), daemon=True).start()

    def _pump_requests(self, client, upstream, connection):
        for data in _pieces(client):
            self._keep(connection.sent, data)
            upstream.sendall(data)
        # A client that has read all it wants of a stream closes before the last bytes are there; they are compared too.
        with self._changed:
            self._changed.wait_for(connection.is_whole, WAIT_SECONDS)
        _end(upstream)

    def _pump_replies(self, client, upstream, connection):
        is_there = True
        for data in _pieces(upstream):
            self._keep(connection.received, data)
            try:
                if is_there:
                    client.sendall(data)
            except OSError:
                is_there = False
        _end(client)

    def _keep(self, kept: bytearray, data: bytes):
        with self._changed:
            kept += data
            self._changed.notify_all()


def _end(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _pieces(source):
    try:
        while data := source.recv(65536):
            yield data
    except OSError:
        return


class _Connection:
    def __init__(self):
        self.sent = bytearray()
        self.received = bytearray()
        # Where the next exchange begins in each.
        self._at = (0, 0)

    def is_whole(self) -> bool:
        return self._read()[1]

    def take(self) -> list[Exchange]:
        exchanges, _, self._at = self._read()
        return exchanges

    def _read(self):
        sent, received = self._at
        exchanges = []
        while sent < len(self.sent):
            request = _message(bytes(self.sent), sent, is_reply=False)
            reply = _message(bytes(self.received), received, is_reply=True)
            if request is None or reply is None:
                return exchanges, False, (sent, received)
            first, headers, body, sent = request
            method, target, _ = first.split(" ", 2)
            status_line, reply_headers, reply_body, received = reply
            exchange = Exchange(
                method, target, headers, body, int(status_line.split(" ")[1]), dict(reply_headers), reply_body
            )
            if exchange.headers.get("content-encoding") == "gzip":
                exchange.body = gzip.decompress(exchange.body)
            exchanges.append(exchange)
        return exchanges, True, (sent, received)


def _message(data: bytes, start: int, is_reply: bool):
    """The message that begins at `start`, with its end; None while there is more to come."""
    end = data.find(b"\r\n\r\n", start)
    if end < 0:
        return None
    first, *lines = data[start:end].decode("latin-1").split("\r\n")
    pairs = [line.split(":", 1) for line in lines]
    headers = [(name.strip().lower(), value.strip()) for name, value in pairs]
    if is_reply and first.split(" ")[1] == "100":
        return _message(data, end + 4, is_reply)
    named = dict(headers)
    if named.get("transfer-encoding", "").lower() == "chunked":
        read = _chunks(data, end + 4)
        return None if read is None else (first, headers, *read)
    length = int(named.get("content-length", 0))
    stop = end + 4 + length
    return None if len(data) < stop else (first, headers, data[end + 4 : stop], stop)


def _chunks(data: bytes, at: int):
    body = b""
    while (line := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line].split(b";")[0], 16)
        begin = line + 2
        if len(data) < begin + size + 2:
            return None
        body += data[begin : begin + size]
        at = begin + size + 2
        if size == 0:
            return body, at
    return None
