"""Asking the tracker, each time within a time as a whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from typing import Any, TypeVar

import httpx

from ._clock import Clock
from ._tracker import Tracker, TrackerRequest, read

_Answer = TypeVar("_Answer")


class Exchange:
    """Sends one request after the other to a tracker."""

    def __init__(self, tracker: Tracker, clock: Clock, transport: httpx.BaseTransport | None) -> None:
        self._tracker, self._clock, self._transport = tracker, clock, transport
        self._http: httpx.Client | None = None

    def send(self, request: TrackerRequest) -> Any:
        """What the tracker says. Raises `TrackerError`."""
        if self._http is None:
            self._http = httpx.Client(transport=self._transport)
        http, arguments = self._http, self._tracker.arguments(request)
        try:
            response = _within(arguments["timeout"], lambda: http.request(**arguments))
        except httpx.HTTPError as error:
            raise self._tracker.unreachable(error) from error
        except TimeoutError as error:
            # Whoever still reads is cut off.
            self.close()
            raise self._tracker.unreachable(error) from error
        return read(response, self._clock.now())

    def close(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            http.close()


def _within(seconds: float, act: Callable[[], _Answer]) -> _Answer:
    """What `act` answers, if it does in time. httpx bounds each read: an answer that comes byte by byte has no end, so
    that it is waited for from another thread."""
    answer: Future[_Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(act())
        except BaseException as error:
            answer.set_exception(error)

    try:
        threading.Thread(target=run, name="ai-cost-tracker-request", daemon=True).start()
    except RuntimeError:  # At the end of the interpreter no thread can be started.
        return act()
    return answer.result(seconds)
