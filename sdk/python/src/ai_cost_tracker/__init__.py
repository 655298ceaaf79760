"""Tracks what LLM calls cost with AI Cost Tracker."""

from ._clock import Clock
from ._context import attribute
from ._optimizer import AICostOptimizer, AsyncAICostOptimizer, ProviderError
from ._options import Options
from ._prompt import Optimizations
from ._queue import QueueOptions, QueueStats
from ._services import AICostTrackerService, AnalyticsService
from ._sigv4 import AwsCredentials
from ._tracker import TrackerError
from ._types import (
    Attribution,
    BulkOutcome,
    Message,
    Optimization,
    OptimizeResponse,
    TokenCounts,
    Tracked,
    UsageRecord,
)

__all__ = [
    "AICostOptimizer",
    "AICostTrackerService",
    "AnalyticsService",
    "AsyncAICostOptimizer",
    "Attribution",
    "AwsCredentials",
    "BulkOutcome",
    "Clock",
    "Message",
    "Optimization",
    "Optimizations",
    "OptimizeResponse",
    "Options",
    "ProviderError",
    "QueueOptions",
    "QueueStats",
    "TokenCounts",
    "Tracked",
    "TrackerError",
    "UsageRecord",
    "attribute",
]
