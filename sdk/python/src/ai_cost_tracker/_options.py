"""What the optimizer is told, and what it takes from the environment."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from ._call import SendTexts
from ._clock import Clock, SystemClock
from ._prompt import Optimizations
from ._providers import Access
from ._queue import QueueOptions
from ._sigv4 import AwsCredentials
from ._tracker import Tracker
from ._types import Provider


class DashboardConfig(TypedDict, total=False):
    """The tracker: its address (else `API_KEY`, as the guide has it) and a tracker key (else `AICT_API_KEY`)."""

    base_url: str
    api_key: str


def log_problem(message: str) -> None:
    logging.getLogger("ai_cost_tracker").warning(message)


class OptionFields(TypedDict, total=False):
    """The options by name, for the client's constructor."""

    api_key: str | AwsCredentials | None
    provider: Provider
    provider_url: str | None
    track_usage: bool
    default_project_id: str | None
    dashboard_config: DashboardConfig
    optimizations: bool | Optimizations
    send_texts: SendTexts
    timeout: float
    cost_wait: float
    queue: QueueOptions
    on_problem: Callable[[str], None]
    clock: Clock


@dataclass(frozen=True)
class Options:
    # The provider's key, for `optimize`. For Bedrock an API key or credentials. Else `OPENAI_API_KEY` and its likes.
    api_key: str | AwsCredentials | None = None
    provider: Provider = "openai"
    # The provider's address, if it is not the provider's own: a proxy, a gateway, a compatible server.
    provider_url: str | None = None
    # Whether calls are told to the tracker.
    track_usage: bool = True
    # Project of calls that name none. Else `PROJECT_ID`.
    default_project_id: str | None = None
    dashboard_config: DashboardConfig = field(default_factory=DashboardConfig)
    # What `optimize` may do to a prompt.
    optimizations: bool | Optimizations = False
    # Whether texts go to the tracker.
    send_texts: SendTexts = "uncounted"
    # Seconds that the tracker may take to answer.
    timeout: float = 10.0
    # Seconds that `optimize` waits for the cost at most, once the provider has answered.
    cost_wait: float = 3.0
    queue: QueueOptions = field(default_factory=QueueOptions)
    # Told once when records are lost, and how many when it is closed.
    on_problem: Callable[[str], None] = log_problem
    clock: Clock = field(default_factory=SystemClock)


_DEFAULT_BASE_URL = "http://localhost:8000/api"
_DEFAULT_REGION = "us-east-1"
_PROVIDER_KEYS: dict[Provider, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "bedrock": ("AWS_BEARER_TOKEN_BEDROCK",),
}
# The official clients read the same variables.
_PROVIDER_URLS: dict[Provider, str] = {
    "openai": "OPENAI_BASE_URL",
    "anthropic": "ANTHROPIC_BASE_URL",
    "google": "GOOGLE_GEMINI_BASE_URL",
    "bedrock": "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
}


def tracker_of(options: Options, env: Mapping[str, str]) -> Tracker:
    """Where the tracker is, and its key. The guide keeps the address in `API_KEY`; a key there is taken for a key."""
    said = env.get("API_KEY", "")
    address = said if said.startswith(("http://", "https://")) else None
    key = env.get("AICT_API_KEY") or (said if said.startswith("aict_") else None)
    config = options.dashboard_config
    base_url = config.get("base_url") or address or _DEFAULT_BASE_URL
    return Tracker(base_url.rstrip("/"), config.get("api_key") or key, options.timeout)


def access_of(options: Options, env: Mapping[str, str]) -> Access | None:
    """How the provider is reached, if there is a key for it."""
    provider = options.provider
    key = options.api_key or next((env[name] for name in _PROVIDER_KEYS[provider] if env.get(name)), None)
    if key is None and provider == "bedrock":
        access, secret = env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")
        key = AwsCredentials(access, secret, env.get("AWS_SESSION_TOKEN")) if access and secret else None
    if key is None:
        return None
    told = key.region if isinstance(key, AwsCredentials) else None
    region = told or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or _DEFAULT_REGION
    return Access(provider, key, region, options.provider_url or env.get(_PROVIDER_URLS[provider]))
