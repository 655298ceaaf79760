import json
from itertools import pairwise

import httpx
import pytest
from manual_clock import ManualClock

from ai_cost_tracker._queue import Queue, QueueOptions
from ai_cost_tracker._tracker import Tracker


def taken(records, **more):
    data = {"successful": len(records), "duplicates": 0, "failed": 0, "results": [], "errors": [], **more}
    return httpx.Response(200, json={"success": True, "data": data})


def refusal(status, **headers):
    body = {"success": False, "error": {"code": "c", "message": "m"}}
    return lambda records: httpx.Response(status, json=body, headers=headers)


class Sender:
    """A queue to a tracker that answers in turn, the last way from then on."""

    def __init__(self, *answers, **options):
        self.clock = ManualClock()
        self.sent = []
        self.problems = []
        self.answers = list(answers)
        tracker = Tracker("http://tracker/api", "aict_x", 1)
        transport = httpx.MockTransport(self.handle)
        self.queue = Queue(tracker, self.clock, QueueOptions(**options), self.problems.append, transport)

    def handle(self, request):
        records = json.loads(request.content)["usageData"]
        self.sent.append((self.clock.elapsed, [record["requestId"] for record in records]))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(records)

    def push(self, count):
        for _ in range(count):
            self.queue.push({"model": "m", "requestId": self.clock.unique_key()})

    def advance(self, seconds):
        """Lets so much time pass, as the thread would spend it."""
        end = self.clock.time + seconds
        while True:
            pause = self.queue.step()
            if pause is None or self.clock.time + pause > end + 1e-9:
                break
            self.clock.time += pause
        self.clock.time = end

    @property
    def stats(self):
        stats = self.queue.stats
        return stats.sent, stats.duplicates, stats.dropped, stats.waiting


def test_records_gather_for_a_moment_and_a_whole_batch_does_not_wait():
    sender = Sender(taken)
    sender.push(3)
    sender.advance(0.999)
    assert sender.sent == []
    sender.advance(0.001)
    assert sender.sent == [(1.0, ["key-1", "key-2", "key-3"])]
    sender.push(250)
    sender.advance(0)
    assert [(at, len(keys)) for at, keys in sender.sent[1:]] == [(1.0, 100), (1.0, 100)]
    sender.advance(1)
    assert sender.stats == (253, 0, 0, 0)


def test_a_full_queue_drops_what_comes_counts_it_and_says_so_once():
    sender = Sender(taken, records_max=5)
    sender.push(8)
    assert sender.stats == (0, 0, 3, 5)
    first = "AI Cost Tracker: a record was lost: the queue is full; further losses are only counted"
    assert sender.problems == [first]
    sender.queue.close()
    assert sender.stats == (5, 0, 3, 0)
    assert sender.problems == [first, "AI Cost Tracker: records lost in all: 3"]


def test_retry_after_is_waited_for_and_the_same_keys_are_sent_again():
    sender = Sender(refusal(429, **{"retry-after": "7"}), taken)
    sender.push(2)
    sender.advance(20)
    assert sender.sent == [(1.0, ["key-1", "key-2"]), (8.0, ["key-1", "key-2"])]
    assert sender.stats == (2, 0, 0, 0)


def unreachable(records):
    raise httpx.ConnectError("nobody there")


@pytest.mark.parametrize("answer", [refusal(503), unreachable, lambda records: httpx.Response(200, text="<html>")])
def test_the_pauses_double_up_to_half_a_minute(answer):
    sender = Sender(answer)
    sender.push(1)
    sender.advance(120)
    times = [at for at, _ in sender.sent]
    pauses = [round(after - before) for before, after in pairwise(times)]
    # The interval of a second is waited for, too.
    assert pauses[:8] == [1, 1, 2, 4, 8, 16, 30, 30]
    assert sender.stats == (0, 0, 0, 1)


def test_what_was_taken_before_its_answer_was_lost_counts_once():
    keys = set()

    def remembering(records):
        known = sum(record["requestId"] in keys for record in records)
        keys.update(record["requestId"] for record in records)
        return taken(records, successful=len(records) - known, duplicates=known)

    def losing(records):
        remembering(records)
        raise httpx.ReadError("lost")

    sender = Sender(losing, remembering)
    sender.push(3)
    sender.advance(5)
    assert len(keys) == 3
    assert sender.stats == (0, 3, 0, 0)


def test_a_refused_key_drops_the_batch_and_says_why():
    sender = Sender(refusal(401))
    sender.push(4)
    sender.advance(1)
    assert sender.stats == (0, 0, 4, 0)
    assert sender.problems == [
        "AI Cost Tracker: a record was lost: the tracker refused it: m; further losses are only counted"
    ]


def test_a_bad_record_fails_alone_and_one_that_could_not_be_written_is_sent_again():
    errors = [
        {"index": 0, "code": "invalid_input", "error": "model: is required"},
        {"index": 2, "code": "store_busy", "error": "busy"},
    ]
    sender = Sender(lambda records: taken(records, successful=1, failed=2, errors=errors), taken)
    sender.push(3)
    sender.advance(3)
    assert [keys for _, keys in sender.sent] == [["key-1", "key-2", "key-3"], ["key-3"]]
    assert sender.stats == (2, 0, 1, 0)


def test_closing_waits_for_so_long_and_no_longer_and_counts_what_is_left():
    sender = Sender(refusal(503))
    sender.push(2)
    sender.queue.close()
    assert sender.clock.elapsed == pytest.approx(5)
    assert sender.stats == (0, 0, 2, 0)
    sender.push(1)
    assert sender.stats == (0, 0, 3, 0)


def test_what_cannot_be_written_or_is_too_long_is_dropped_without_a_word_to_the_caller():
    sender = Sender(taken)
    itself = []
    itself.append(itself)
    for record in ({"metadata": itself}, {"cost": float("nan")}, {"prompt": "x" * 1024 * 1024}, {"usage": {1, 2}}):
        sender.queue.push(record)
    assert sender.stats == (0, 0, 4, 0)
    assert len(sender.problems) == 1


def test_a_listener_that_fails_breaks_nothing():
    sender = Sender(taken, records_max=0)
    sender.problems = None
    sender.queue._on_problem = lambda message: 1 / 0
    sender.push(1)
    assert sender.stats == (0, 0, 1, 0)
