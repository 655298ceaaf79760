"""The integration guide's back-end services, over one client that is made as the environment says when it is first
used."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ._optimizer import AICostOptimizer
from ._reply import Json
from ._types import Attribution, Tracked

if TYPE_CHECKING:
    from typing_extensions import Unpack


@cache
def _shared() -> AICostOptimizer:
    return AICostOptimizer()


class AICostTrackerService:
    """Records calls that were answered."""

    @staticmethod
    def track_request(
        request: object,
        response: object,
        user_id: str | None = None,
        *,
        service: str | None = None,
        **options: Unpack[Attribution],
    ) -> Tracked:
        """Records a request and the provider's whole reply to it, and waits for the tracker's word.

        A reply with an id counts once, however often it is told. A `user_id` that is an e-mail address is the record's
        user; any other is kept as `metadata.userId`. Raises `TrackerError`."""
        if user_id and "@" in user_id:
            options = {**options, "user_email": user_id}
        elif user_id:
            options = {**options, "metadata": {"userId": user_id, **options.get("metadata", {})}}
        return _shared().track_reply(request, response, service=service, **options)


class AnalyticsService:
    """Asks what was spent."""

    @staticmethod
    def get_project_analytics(project_id: str, **filters: object) -> Json:
        """What a project cost. Raises `TrackerError`."""
        return _shared().get_project_analytics(project_id, **filters)
