"""Records on their way to the tracker: bounded, in batches, each with a key, so that sending twice counts once."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx

from ._clock import Clock
from ._exchange import Exchange
from ._reply import Json
from ._tracker import Tracker, TrackerError, TrackerRequest, as_json


@dataclass(frozen=True)
class QueueOptions:
    """Bounds of the queue."""

    # Records that wait at most; further ones are dropped and counted.
    records_max: int = 10_000
    # Records in one request.
    batch_max: int = 100
    # Seconds that a record waits for others.
    interval: float = 1.0
    # Seconds that `close` and the end of the process may take.
    close_timeout: float = 5.0


@dataclass(frozen=True)
class QueueStats:
    """What became of the records so far."""

    sent: int
    duplicates: int
    dropped: int
    waiting: int


_BACKOFF = 0.5
_BACKOFF_MAX = 30.0
# Characters of a batch; the tracker takes 32 MiB.
_BATCH_LENGTH_MAX = 8 * 1024 * 1024
# Characters of a record; the tracker takes a mebibyte.
_RECORD_LENGTH_MAX = 768 * 1024
# A record that cannot be written now, as the tracker says it.
_BUSY = frozenset(("store_busy", "store_unavailable", "internal"))


class Queue:
    """One batch at a time is sent, by a thread of its own or by whoever flushes."""

    def __init__(
        self,
        tracker: Tracker,
        clock: Clock,
        options: QueueOptions,
        on_problem: Callable[[str], None],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._tracker, self._clock, self._options, self._on_problem = tracker, clock, options, on_problem
        self._transport = transport
        self._is_closed = False
        self._is_reported = False
        self._reset()

    def _reset(self) -> None:
        """As if nothing had come."""
        self._pid = os.getpid()
        # Records as JSON, as they were when they came.
        self._waiting: deque[str] = deque()
        self._in_flight = 0
        self._sent = self._duplicates = self._dropped = 0
        self._failures = 0
        # When the oldest record has waited long enough, and before when nothing is sent.
        self._due_at: float | None = None
        self._resume_at = 0.0
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._exchange = Exchange(self._tracker, self._clock, self._transport)

    def _own(self) -> None:
        """A forked child begins anew; what it inherited is locked, perhaps, and its parent's to send."""
        if self._pid != os.getpid():
            self._reset()

    @property
    def stats(self) -> QueueStats:
        self._own()
        with self._lock:
            waiting = len(self._waiting) + self._in_flight
            return QueueStats(self._sent, self._duplicates, self._dropped, waiting)

    def push(self, record: Json) -> None:
        """Takes a record. Never throws and never waits for the tracker."""
        self._own()
        try:
            text = as_json(record)
        except (TypeError, ValueError, RecursionError):
            return self._drop(1, "it cannot be written as JSON")
        with self._lock:
            reason = self._refusal(text)
            if reason is None:
                self._waiting.append(text)
                if self._due_at is None:
                    self._due_at = self._clock.now() + self._options.interval
        if reason is not None:
            return self._drop(1, reason)
        self._wake.set()
        return None

    def start(self) -> None:
        """Sends in the background from now on."""
        with self._lock:
            if self._thread is None and not self._is_closed:
                thread = threading.Thread(target=self._run, name="ai-cost-tracker", daemon=True)
                # At the end of the interpreter no thread can be started; closing sends what waits.
                with suppress(RuntimeError):
                    thread.start()
                    self._thread = thread

    def step(self) -> float | None:
        """Sends what is due; answers with the seconds until something is, None if nothing waits."""
        pause = self._pause()
        if pause is not None and pause <= 0 and self._sending.acquire(blocking=False):
            try:
                self._send_batch(self._tracker.timeout)
            finally:
                self._sending.release()
            pause = self._pause()
        return pause

    def flush(self) -> None:
        """Sends what waits, until nothing does or `close_timeout` has passed."""
        deadline = self._clock.now() + self._options.close_timeout
        while (left := deadline - self._clock.now()) > 0 and self.stats.waiting > 0:
            pause = self._resume_at - self._clock.now()
            if pause > 0:
                self._clock.sleep(min(pause, left))
            elif self._sending.acquire(timeout=left):
                try:
                    self._send_batch(deadline - self._clock.now())
                finally:
                    self._sending.release()

    def close(self) -> None:
        """Flushes, and drops what could not be sent."""
        self._own()
        if self._is_closed:
            return
        self.flush()
        with self._lock:
            self._is_closed = True
            left = len(self._waiting) + self._in_flight
            self._waiting.clear()
            self._in_flight = 0
        self._wake.set()
        self._exchange.close()
        if left > 0:
            self._drop(left, "the tracker did not take it before the end")
        if self._dropped > 0:
            self._tell(f"records lost in all: {self._dropped}")

    def _run(self) -> None:
        while not self._is_closed:
            self._wake.clear()
            pause = self.step()
            # Half a second while another one sends.
            self._wake.wait(timeout=None if pause is None else pause or 0.5)

    def _refusal(self, text: str) -> str | None:
        """Why a record cannot be taken."""
        if len(text) > _RECORD_LENGTH_MAX:
            return "it is too long"
        if self._is_closed:
            return "the client is closed"
        is_full = len(self._waiting) + self._in_flight >= self._options.records_max
        return "the queue is full" if is_full else None

    def _pause(self) -> float | None:
        """Seconds until a batch is to be sent; None if nothing waits."""
        with self._lock:
            if not self._waiting or self._due_at is None:
                return None
            now = self._clock.now()
            is_whole = len(self._waiting) >= self._options.batch_max
            due_at = max(now if is_whole else self._due_at, self._resume_at)
            return max(0.0, due_at - now)

    def _send_batch(self, timeout: float) -> None:
        batch = self._take_batch()
        if not batch:
            return
        request = TrackerRequest("POST", "/usage/bulk", f'{{"usageData":[{",".join(batch)}]}}', timeout=timeout)
        try:
            outcome: Json = self._exchange.send(request)
            if not self._is_closed:
                self._settle(batch, outcome)
        except TrackerError as error:
            if self._is_closed:
                pass  # It was counted as lost when the client closed.
            elif error.is_temporary:
                self._retry(batch, error.retry_after)
            else:
                self._drop(len(batch), f"the tracker refused it: {error}")
        except Exception:
            self._retry(batch, None)
        finally:
            with self._lock:
                self._in_flight = 0
                self._due_at = self._clock.now() + self._options.interval if self._waiting else None

    def _take_batch(self) -> list[str]:
        batch: list[str] = []
        length = 0
        with self._lock:
            while self._waiting and len(batch) < self._options.batch_max:
                length += len(self._waiting[0])
                if length > _BATCH_LENGTH_MAX:
                    break
                batch.append(self._waiting.popleft())
            self._in_flight = len(batch)
        return batch

    def _settle(self, batch: list[str], outcome: Json) -> None:
        with self._lock:
            self._failures = 0
            self._sent += outcome["successful"]
            self._duplicates += outcome["duplicates"]
        busy = [error for error in outcome["errors"] if error["code"] in _BUSY]
        refused = [error for error in outcome["errors"] if error["code"] not in _BUSY]
        if busy:
            self._retry([batch[error["index"]] for error in busy], None)
        if refused:
            self._drop(outcome["failed"] - len(busy), f"the tracker refused it: {refused[0]['error']}")

    def _retry(self, batch: list[str], retry_after: float | None) -> None:
        """Exponential back-off with full jitter, unless the tracker said when."""
        with self._lock:
            self._waiting.extendleft(reversed(batch))
            longest = min(_BACKOFF_MAX, _BACKOFF * 2 ** min(self._failures, 10))
            self._failures += 1
            pause = longest * self._clock.random() if retry_after is None else retry_after
            self._resume_at = self._clock.now() + pause

    def _drop(self, count: int, reason: str) -> None:
        with self._lock:
            self._dropped += count
            is_first, self._is_reported = not self._is_reported, True
        if is_first:
            self._tell(f"a record was lost: {reason}; further losses are only counted")

    def _tell(self, message: str) -> None:
        try:
            self._on_problem(f"AI Cost Tracker: {message}")
        except Exception:  # Whoever listens must not break the caller.
            return


def close_at_exit(queue: Queue) -> None:
    """The queue is closed when the interpreter ends, if it is still there."""
    reference = weakref.ref(queue)

    def close() -> None:
        alive = reference()
        if alive is not None and alive.stats.waiting > 0:
            alive.close()

    atexit.register(close)
    # Not at the end itself: that is what `close` is for.
    weakref.finalize(queue, atexit.unregister, close).atexit = False
