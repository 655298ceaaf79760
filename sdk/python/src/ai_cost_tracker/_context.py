"""Who calls are for, by the code that makes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ._reply import Json
from ._types import Attribution, wire_names

if TYPE_CHECKING:
    from typing_extensions import Unpack

_Function = TypeVar("_Function", bound=Callable[..., Any])

# In the tracker's own names.
_here: ContextVar[Mapping[str, Any]] = ContextVar("ai_cost_tracker_attribution", default={})  # noqa: B039


class attribute:
    """For whom everything is that is recorded inside of `with attribute(tags=["chat"]):`, or of a function with the
    decorator `@attribute(…)`, in whatever it calls and awaits.

    Inner ones add to outer ones: tags, cost allocation and metadata come together, and of anything else the innermost
    word counts; what a call says of itself comes last. A new thread begins without; `contextvars.copy_context` takes it
    along."""

    def __init__(self, **attribution: Unpack[Attribution]) -> None:
        self._attribution = attribution
        self._tokens: list[Token[Mapping[str, Any]]] = []

    def __enter__(self) -> None:
        self._tokens.append(_here.set(merged(_here.get(), wire_names(self._attribution))))

    def __exit__(self, *_: object) -> None:
        _here.reset(self._tokens.pop())

    def __call__(self, function: _Function) -> _Function:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("a generator runs in its caller's context: use `with attribute(…):` inside of it")
        # Each run has its own: a function may run many times at once.
        said = self._attribution

        @wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with attribute(**said):
                return await function(*args, **kwargs)

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with attribute(**said):
                return function(*args, **kwargs)

        return cast(_Function, awaited if inspect.iscoroutinefunction(function) else called)


def attribution_here() -> Mapping[str, Any]:
    """What the code around says, in the tracker's own names."""
    return _here.get()


def merged(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> Json:
    """What `inner` says of a call, and what `outer` says beside it."""
    both: Json = {**outer, **inner}
    if outer.get("tags") and inner.get("tags"):
        both["tags"] = list(dict.fromkeys([*outer["tags"], *inner["tags"]]))
    for name in ("costAllocation", "metadata"):
        if outer.get(name) and inner.get(name):
            both[name] = {**outer[name], **inner[name]}
    return both
