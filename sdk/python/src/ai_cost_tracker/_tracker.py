"""The tracker's HTTP API: a request, and what its answer says, or a `TrackerError`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ._reply import is_list, is_mapping, is_object, is_tuple


class TrackerError(Exception):
    """The tracker could not be reached, or refused."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        # HTTP status; None if there was no answer.
        self.status = status
        # Stable code, such as `project_not_found`.
        self.code = code
        # Seconds, if the answer said when to try again.
        self.retry_after = retry_after

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may be taken later."""
        return self.status is None or self.status in (408, 429) or self.status >= 500


@dataclass
class TrackerRequest:
    """A request to the tracker."""

    method: str
    path: str
    body: object = None
    query: Mapping[str, object] | None = None
    # Seconds; None is the client's own bound.
    timeout: float | None = None


@dataclass(frozen=True)
class Tracker:
    """Where the tracker is, and how it is asked; sending is up to the caller."""

    base_url: str
    api_key: str | None
    timeout: float

    def arguments(self, request: TrackerRequest) -> dict[str, Any]:
        """What `httpx` needs to send it."""
        headers = {"accept": "application/json"}
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        content = request.body
        if content is not None:
            headers["content-type"] = "application/json"
            content = content if isinstance(content, str) else as_json(content)
        return {
            "method": request.method,
            "url": self.base_url + request.path,
            "params": _parameters(request.query or {}),
            "headers": headers,
            "content": content,
            "timeout": self.timeout if request.timeout is None else min(request.timeout, self.timeout),
        }

    def unreachable(self, error: Exception) -> TrackerError:
        return TrackerError(f"{self.base_url} cannot be reached: {type(error).__name__}: {error}")


def read(response: httpx.Response, now: float) -> Any:
    """What the answer says; amounts of money keep their digits."""
    try:
        body: object = json.loads(response.text, parse_float=Decimal)
    except ValueError:
        body = None
    if response.is_success and is_object(body) and body.get("success") is True:
        return body.get("data")
    error: object = body.get("error") if is_object(body) else None
    told = error if is_object(error) else {}
    raise TrackerError(
        str(told.get("message") or f"the tracker answered {response.status_code}"),
        status=502 if response.is_success else response.status_code,
        code=told.get("code"),
        retry_after=_retry_after(response.headers.get("retry-after"), now),
    )


def as_json(value: object) -> str:
    """JSON, with money as its exact digits."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        # The tracker takes digits in quotes as well, and reads them exactly.
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if is_mapping(value):
        return {str(key): _plain(item) for key, item in value.items()}
    if is_list(value) or is_tuple(value):
        return [_plain(item) for item in value]
    return value


def _parameters(query: Mapping[str, object]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        values: Sequence[object] = value if is_list(value) else [value]
        pairs += [(name, str(each)) for each in values if each is not None]
    return pairs


def _retry_after(header: str | None, now: float) -> float | None:
    """Seconds, or a date."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - now
        except ValueError:
            return None
    return max(0.0, seconds)
