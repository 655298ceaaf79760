"""Cost Katana's published clients, unchanged, against the real server, through a relay that loses answers and repeats requests.

Every expected sum is the price of gpt-4o-mini, 150 nano-dollars a token in and 600 out, times the counts."""

import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import cost_katana

sys.path.append(str(Path(__file__).parent.parent / "sdk"))
from servers import WAIT_SECONDS, Tracker, request  # noqa: E402

NANOS_IN, NANOS_OUT = 150, 600
LOGGED_BY_NODE, LOGGED_BY_PYTHON = 60, 40
FLUSHES_MAX = 5
NOBODY = "http://127.0.0.1:9"
HOP = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}


class Relay:
    """Hands on what it gets. The first answer to a batch of each client is lost; calls of their own are sent twice."""

    def __init__(self, target: str):
        self._target = urlsplit(target).netloc
        self._lost: set[str] = set()
        self.answers: list[tuple[str, int]] = []
        relay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                relay.hand_on(self)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def hand_on(self, handler):
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        path = handler.path.split("?")[0]
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in HOP}
        for _ in range(2 if path == "/api/usage/track-sdk" else 1):
            status, content = self._send(handler.command, handler.path, body, headers)
        self.answers.append((path, status))
        client = f"{path} {handler.headers['user-agent'].split('/')[0]}"
        if path == "/api/ai-logs" and client not in self._lost:
            self._lost.add(client)
            handler.close_connection = True
            handler.connection.close()
            return
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _send(self, method: str, target: str, body: bytes, headers: dict):
        connection = http.client.HTTPConnection(self._target, timeout=WAIT_SECONDS)
        connection.request(method, target, body or None, headers)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        return reply.status, content

    def statuses(self, path: str) -> list[int]:
        return [status for answered, status in self.answers if answered == path]


class Checks:
    def __init__(self):
        self.passed, self.failures = 0, []

    def equal(self, what: str, got, expected):
        if got == expected:
            self.passed += 1
        else:
            self.failures.append(f"{what}: got {got!r}, expected {expected!r}")


def dollars(calls) -> Decimal:
    return sum(Decimal(into * NANOS_IN + out * NANOS_OUT) for into, out in calls) / 10**9


def logged(count: int) -> list[tuple[int, int]]:
    return [(1000 + index, 500 - index) for index in range(count)]


def node(script: str, what: str, relay: Relay, tracker: Tracker) -> subprocess.Popen:
    environment = {**os.environ, "COST_KATANA_API_KEY": tracker.key, "PROJECT_ID": tracker.project}
    command = ["node", script, what, relay.url]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen):
    output, _ = process.communicate(timeout=6 * WAIT_SECONDS)
    line = next((line for line in output.splitlines() if line.startswith("RESULT ")), None)
    return line and json.loads(line.removeprefix("RESULT "), parse_float=Decimal)


def python_logs(relay: Relay, tracker: Tracker) -> int:
    client = cost_katana.CostKatanaClient(api_key=tracker.key, base_url=relay.url, project_id=tracker.project)
    logger = client.ai_logger
    for into, out in logged(LOGGED_BY_PYTHON):
        entry = {"service": "openai", "operation": "chat_completion", "aiModel": "gpt-4o-mini", "statusCode": 200}
        logger.log_ai_call({**entry, "responseTime": 820, "inputTokens": into, "outputTokens": out})
    logger.log_template_usage("t1", "Greeting", {"name": "Ada"})
    for _ in range(FLUSHES_MAX):
        if logger.get_buffer_size():
            logger.flush()
    return logger.get_buffer_size()


def totals(tracker: Tracker, expected_records: int):
    """Records, tokens and dollars, once the expected number of records is there."""
    tracker.count_records(expected_records)
    path = f"/api/analytics/projects/{tracker.project}"
    summary = request("GET", tracker.url + path, bearer=tracker.key)["data"]["summary"]
    return summary["totalRequests"], summary["totalTokens"], Decimal(summary["totalCost"])


def expected(calls):
    return len(calls), sum(map(sum, calls)), dollars(calls)


def run(checks: Checks, tracker: Tracker, script: str):
    relay = Relay(tracker.url)
    calls = logged(LOGGED_BY_PYTHON)
    checks.equal("python: entries left", python_logs(relay, tracker), 0)
    checks.equal("python: a lost answer doubles nothing", totals(tracker, len(calls)), expected(calls))

    calls += [(2000, 700)]
    # It goes on while the loggers send with the same key.
    endless = node(script, "track", relay, tracker)
    try:
        checks.equal("node: a call that is sent twice", totals(tracker, len(calls)), expected(calls))
        calls += logged(LOGGED_BY_NODE)
        checks.equal("node: entries left", result(node(script, "logs", relay, tracker)), 0)
        checks.equal("node: a lost answer doubles nothing", totals(tracker, len(calls)), expected(calls))
    finally:
        endless.kill()
        endless.wait()
    told = set(relay.statuses("/api/usage/track-comprehensive"))
    checks.equal("node: what it tells of its requests is taken, or is too large", told - {202, 413}, set())

    calls += [(2001, 701)]
    summary = result(node(script, "ask", relay, tracker))
    asked = summary and (summary["totalRequests"], summary["totalTokens"], Decimal(summary["totalCost"]))
    checks.equal("node: getAnalytics", asked, expected(calls))
    checks.equal("the client's first question", set(relay.statuses("/api/user/profile")), {200})
    checks.equal("batches", set(relay.statuses("/api/ai-logs")), {200})
    checks.equal("answers of batches, lost ones too", len(relay.statuses("/api/ai-logs")) >= 4, True)


def main(tracker_binary: str, script: str) -> int:
    checks = Checks()
    with Tracker(tracker_binary, NOBODY) as tracker:
        run(checks, tracker, script)
    for failure in checks.failures:
        print(f"FAILED {failure}")
    print(f"{checks.passed} checks of Cost Katana's clients passed, {len(checks.failures)} failed")
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
