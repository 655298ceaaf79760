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
    # It makes its tokenizer now, and not while a program waits for its cost.
    server.send("POST", "/api/prices/estimate", {"model": "gpt-4o-mini", "prompt": "Hello"})
    yield server
    server.remove()
