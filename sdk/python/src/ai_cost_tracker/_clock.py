"""Time and chance, passed in, so that tests freeze them."""

from __future__ import annotations

import random
import time
import uuid
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def random(self) -> float:
        """A number in [0, 1)."""
        ...

    def unique_key(self) -> str:
        """A key that nobody else has."""
        ...


class SystemClock:
    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def random(self) -> float:
        return random.random()

    def unique_key(self) -> str:
        return str(uuid.uuid4())


def timestamp(seconds: float) -> str:
    """RFC 3339 with milliseconds."""
    at = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(start: float, end: float) -> int:
    return max(0, round((end - start) * 1000))
