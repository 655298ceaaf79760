"""The emptied reply loses nothing that the tracker reads: every fixture of its own readers, through the SDK and a real
server, comes to the counts that are expected of the whole reply."""

import json
import re
from pathlib import Path

import pytest
from servers import Tracker

from ai_cost_tracker._reply import Reply
from ai_cost_tracker._sse import Events, data_of

FOLDER = Path(__file__).parents[3] / "crates/domain/tests/wire/fixtures"
# No reply that a client sees: usage objects alone, and what other programs make of them.
NO_REPLY = re.compile(r"/bare-|ai-sdk|published-sdk|generation\.json")
# Beyond what the tracker takes in a record: counts without a usage object, and a count that is too large.
NOT_TAKEN = re.compile(r"dall-e|imagen|vertex-embed|groq/transcription|chat-too-large")


def expected_of(provider):
    for block in (FOLDER / provider / "expected.txt").read_text().strip().split("\n\n"):
        file = re.match(r"# (\S+)", block)
        counts = re.search(r"^counts: (.+)$", block, re.MULTILINE)
        path = f"{provider}/{file[1]}" if file else ""
        if file and counts and counts[1] != "-" and not NO_REPLY.search(path) and not NOT_TAKEN.search(path):
            pairs = (pair.split(" ") for pair in counts[1].split(", "))
            # What is left of a total is told by the tracker as 0.
            yield path, {unit: int(count) for unit, count in pairs if int(count) > 0}


EXPECTED = {path: counts for folder in sorted(FOLDER.iterdir()) for path, counts in expected_of(folder.name)}


def digest_of(path):
    text = (FOLDER / path).read_bytes()
    reply = Reply(0)
    if path.endswith(".sse") and not text.startswith(b"{"):
        events = Events()
        for event in (*events.push(text), events.rest()):
            reply.add(data_of(event))
    else:
        for document in documents_of(text):
            reply.add(document)
    return reply.digest


def documents_of(text):
    """One document, or one a line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.split(b"\n") if line]


@pytest.fixture(scope="module")
def records():
    tracker = Tracker()
    usage = [
        {
            "service": re.sub("^bedrock-.*", "bedrock", path.split("/")[0]).replace("gemini", "google"),
            "model": "m",
            "requestId": path,
            "usage": digest_of(path),
        }
        for path in EXPECTED
    ]
    tracker.send("POST", "/api/usage/bulk", {"usageData": usage})
    yield {record["requestId"]: record for record in tracker.records()}
    tracker.remove()


@pytest.mark.parametrize("path", EXPECTED)
def test_reply(path, records):
    counts = records[path]["usage"] or {}
    assert {unit: count for unit, count in counts.items() if count > 0} == EXPECTED[path]
