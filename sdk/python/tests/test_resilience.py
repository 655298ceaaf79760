"""A tracker that dies, hangs or refuses: nothing counts twice, and what is lost is said."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from servers import KEY, Tracker

from ai_cost_tracker import AICostOptimizer, AsyncAICostOptimizer, QueueOptions, TrackerError
from ai_cost_tracker._clock import SystemClock

RECORDS = 1_000


class Impatient(SystemClock):
    """The pauses are not what is tested here."""

    def random(self):
        return 0

    def sleep(self, seconds):
        time.sleep(min(seconds, 0.005))


@pytest.fixture
def tracker():
    server = Tracker()
    yield server
    server.remove()


class Through(httpx.BaseTransport):
    """Requests pass, and something happens on the way."""

    def __init__(self, happening):
        self.happening, self.requests, self.inner = happening, 0, httpx.HTTPTransport()

    def handle_request(self, request):
        self.requests += 1
        return self.happening(self.requests, request, self.pass_on)

    def pass_on(self, request):
        response = self.inner.handle_request(request)
        response.read()
        return response


def optimizer_for(tracker, happening, **options):
    problems = []
    queue = QueueOptions(batch_max=50, close_timeout=3600)
    optimizer = AICostOptimizer(
        dashboard_config=tracker.config,
        transport=Through(happening),
        clock=Impatient(),
        on_problem=problems.append,
        **{"queue": queue, **options},
    )
    return optimizer, problems


def send_all(optimizer):
    for index in range(RECORDS):
        call = {"service": "openai", "model": "gpt-4o-mini", "prompt_tokens": 1, "completion_tokens": 1}
        optimizer.queue_usage({**call, "session_id": str(index)})
    optimizer.flush()


def each_once(tracker):
    sessions = [record["sessionId"] for record in tracker.records()]
    return (len(sessions), len(set(sessions))) == (RECORDS, RECORDS)


def test_killed_while_a_batch_is_on_its_way_and_started_again(tracker):
    def happening(number, request, pass_on):
        if number % 7 != 3:
            return pass_on(request)
        # Taken or not, the answer is lost with the server.
        if number % 2:
            pass_on(request)
        tracker.restart(signal.SIGKILL)
        raise httpx.ReadError("killed")

    optimizer, problems = optimizer_for(tracker, happening)
    send_all(optimizer)
    assert each_once(tracker)
    assert (optimizer.stats.dropped, problems) == (0, [])
    optimizer.close()


def test_answers_that_are_lost_on_their_way_back(tracker):
    def happening(number, request, pass_on):
        response = pass_on(request)
        if number % 2:
            raise httpx.ReadError("lost")
        return response

    optimizer, _ = optimizer_for(tracker, happening)
    send_all(optimizer)
    assert each_once(tracker)
    assert (optimizer.stats.sent, optimizer.stats.duplicates) == (0, RECORDS)
    optimizer.close()


def test_429_and_503_in_turn(tracker):
    def happening(number, request, pass_on):
        if number % 3 == 0:
            return pass_on(request)
        return httpx.Response(429 if number % 3 == 1 else 503, headers={"retry-after": "0"}, json={})

    optimizer, _ = optimizer_for(tracker, happening)
    send_all(optimizer)
    assert each_once(tracker)
    optimizer.close()


def test_slower_than_the_client_waits(tracker):
    def happening(number, request, pass_on):
        response = pass_on(request)
        if number <= 3:
            raise httpx.ReadTimeout("too slow")
        return response

    optimizer, _ = optimizer_for(tracker, happening)
    send_all(optimizer)
    assert each_once(tracker)
    assert optimizer.stats.duplicates >= 50
    optimizer.close()


class Dripping:
    """A tracker that answers a byte now and then, and never the last one."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def config(self):
        return {"base_url": f"http://127.0.0.1:{self._listener.getsockname()[1]}/api", "api_key": "aict_x"}

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection):
        with suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not self._ends.wait(0.005):
                connection.sendall(b"x")

    def stop(self):
        self._ends.set()
        self._listener.close()


def test_a_tracker_that_answers_a_byte_at_a_time_is_one_that_does_not_answer(fake):
    dripping, problems = Dripping(), []
    said = {"dashboard_config": dripping.config, "timeout": 0.1, "cost_wait": 0.1, "on_problem": problems.append}
    said |= {"api_key": KEY, "provider_url": f"{fake.url}/v1", "queue": QueueOptions(close_timeout=0.3)}

    async def asynchronously():
        async with AsyncAICostOptimizer(**said) as optimizer:
            answer = await optimizer.optimize(model="gpt-4o-mini", prompt="Hello")
            with pytest.raises(TrackerError, match="cannot be reached"):
                await optimizer.track_usage({"model": "m"})
        return answer, optimizer.stats

    with AICostOptimizer(**said) as optimizer:
        answer = optimizer.optimize(model="gpt-4o-mini", prompt="Hello")
        with pytest.raises(TrackerError, match="cannot be reached"):
            optimizer.track_usage({"model": "m"})
    for told, stats in [(answer, optimizer.stats), asyncio.run(asynchronously())]:
        # The answer of the provider is the caller's; its record is lost, and that is said.
        assert (told.text[:10], told.cost) == ("Every call", None)
        assert (stats.dropped, stats.waiting) == (1, 0)
    assert problems[1::2] == ["AI Cost Tracker: records lost in all: 1"] * 2
    dripping.stop()


def test_away_for_good_is_counted_and_said_and_the_caller_never_noticed(tracker):
    def happening(number, request, pass_on):
        raise httpx.ConnectError("nobody there")

    queue = QueueOptions(records_max=100, batch_max=10, close_timeout=0.05)
    optimizer, problems = optimizer_for(tracker, happening, queue=queue)
    for index in range(RECORDS):
        optimizer.queue_usage({"model": "m", "session_id": str(index)})
    optimizer.close()
    assert (optimizer.stats.sent, optimizer.stats.dropped) == (0, RECORDS)
    assert problems == [
        "AI Cost Tracker: a record was lost: the queue is full; further losses are only counted",
        f"AI Cost Tracker: records lost in all: {RECORDS}",
    ]


def run(program, tracker):
    source = os.path.join(os.path.dirname(__file__), "../src")
    env = {
        "PYTHONPATH": source,
        "API_KEY": f"{tracker.url}/api",
        "AICT_API_KEY": tracker.key,
        "PATH": os.environ["PATH"],
    }
    subprocess.run([sys.executable, "-c", program], env=env, check=True, timeout=60)


def test_a_process_that_ends_sends_what_waits(tracker):
    run(
        "from ai_cost_tracker import AICostOptimizer\n"
        "optimizer = AICostOptimizer()\n"
        "optimizer.queue_usage({'model': 'gpt-4o-mini', 'tokens': 2, 'session_id': 'exit'})",
        tracker,
    )
    assert [record["sessionId"] for record in tracker.records()] == ["exit"]


def test_a_forked_child_sends_its_own_and_not_its_parents(tracker):
    run(
        "import os\n"
        "from ai_cost_tracker import AICostOptimizer\n"
        "optimizer = AICostOptimizer()\n"
        "optimizer.queue_usage({'model': 'gpt-4o-mini', 'tokens': 2, 'session_id': 'parent'})\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    optimizer.queue_usage({'model': 'gpt-4o-mini', 'tokens': 2, 'session_id': 'child'})\n"
        "    optimizer.close()\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "optimizer.close()",
        tracker,
    )
    assert sorted(record["sessionId"] for record in tracker.records()) == ["child", "parent"]


KILLED = (
    "from ai_cost_tracker import AICostOptimizer, QueueOptions\n"
    "optimizer = AICostOptimizer(queue=QueueOptions(batch_max=2))\n"
    "for key in ('k-1', 'k-2', 'k-3', 'k-4'):\n"
    "    optimizer.queue_usage({'model': 'm', 'tokens': 2, 'request_id': key})\n"
    "optimizer.close()"
)


def test_a_process_that_is_killed_while_a_batch_is_under_way_loses_what_waits_and_what_was_taken_counts_once(tracker):
    class Relay(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {"authorization": f"Bearer {tracker.key}", "content-type": "application/json"}
            httpx.post(tracker.url + self.path, content=body, headers=headers).raise_for_status()
            killed.kill()

        def log_message(self, *_):
            pass

    relay = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    source = os.path.join(os.path.dirname(__file__), "../src")
    env = {"PYTHONPATH": source, "API_KEY": f"http://127.0.0.1:{relay.server_port}/api", "AICT_API_KEY": tracker.key}
    killed = subprocess.Popen([sys.executable, "-c", KILLED], env={**env, "PATH": os.environ["PATH"]})
    assert killed.wait() == -signal.SIGKILL
    relay.shutdown()
    relay.server_close()
    assert [record["requestId"] for record in tracker.records()] == ["k-1", "k-2"]
    # Run again, it tells of the same calls.
    run(KILLED, tracker)
    assert sorted(record["requestId"] for record in tracker.records()) == ["k-1", "k-2", "k-3", "k-4"]
