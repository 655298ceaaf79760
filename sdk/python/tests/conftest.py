import pytest
from servers import Fake, Tracker


@pytest.fixture(scope="module")
def fake():
    server = Fake()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tracker(fake):
    to_fake = [f"gateway.providers.{provider}.base_url={fake.url}" for provider in ("openai", "anthropic")]
    server = Tracker(to_fake)
    yield server
    server.remove()
