"""The guide's budget and its three alerts: letters at a mail server, webhooks that the published library of Standard
Webhooks verifies. Each once, also when many send at once, and over a restart and a kill."""

import http.server
import itertools
import tempfile
import threading
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from servers import Process, request
from standardwebhooks.webhooks import Webhook

SENDERS = 64
CALLS_OF_EACH = 4
DOLLARS_OF_A_CALL = 3.75
# A delivery that was under way when the server was killed is taken up again after two minutes.
ARRIVAL_SECONDS = 150
LETTERS = ["Chat: 50 % of the budget of $1,000.00 is spent", "Chat: 80 % of the budget of $1,000.00 is spent"]
WEBHOOKS = [80, 90]


class Mailbox:
    """A mail server that takes everything while it is open."""

    def __init__(self):
        self.subjects: list[str] = []
        # Where to listen is known from the start, and the same every time.
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.port = self._controller.port

    async def handle_DATA(self, _server, _session, envelope):
        self.subjects.append(message_from_bytes(envelope.content, policy=policy.default)["subject"])
        return "250 taken"

    def open(self):
        self._controller.start()

    def close(self):
        self._controller.stop()


class Receiver:
    """A receiver of webhooks that takes everything while it is open."""

    def __init__(self):
        self.received: list[tuple[bytes, dict]] = []
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/hook"

    def open(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append((body, dict(self.headers)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def free_port() -> int:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        return server.server_port


class Stage:
    """A tracker that may be stopped and started, with the guide's budget, a mailbox and a receiver."""

    def __init__(self, binary: str):
        self._data = tempfile.TemporaryDirectory(prefix="tracker-")
        self.mailbox, self.receiver = Mailbox(), Receiver()
        self.port = free_port()
        settings = {
            "auth.argon2.memory_kib": 8,
            "auth.argon2.iterations": 1,
            "notify.allow_private_addresses": "true",
            "smtp.host": "127.0.0.1",
            "smtp.port": self.mailbox.port,
            "smtp.security": "none",
            "smtp.from": "Costs <costs@example.com>",
        }
        self._command = [binary, "--data-dir", self._data.name, "serve", "--port", str(self.port)]
        for name, value in settings.items():
            self._command += ["--setting", f"{name}={value}"]
        self.start()
        owner = {"email": "owner@example.com", "password": "correct horse", "name": "Owner"}
        self._token = self.post("/api/auth/register", owner)["accessToken"]
        alerts = [
            {"threshold": 50, "type": "email"},
            {"threshold": 80, "type": "both", "webhookUrl": self.receiver.url},
            {"threshold": 90, "type": "webhook", "webhookUrl": self.receiver.url},
        ]
        budget = {"amount": 1000, "currency": "USD", "period": "monthly", "alerts": alerts}
        self.project = self.post("/api/projects", {"name": "Chat", "budget": budget})["id"]
        self._keys = itertools.count()

    def start(self):
        self.tracker = Process(self._command, log_is_stderr=True)

    def restart(self):
        self.tracker.terminate()
        self.start()

    def post(self, path: str, body):
        url = f"http://127.0.0.1:{self.port}{path}"
        return request("POST", url, body, getattr(self, "_token", None))["data"]

    def spend(self, dollars: float):
        """Tells of a call, again with the same key while nobody answers."""
        call = {"model": "gpt-4o", "projectId": self.project, "cost": dollars, "requestId": f"call-{next(self._keys)}"}
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while True:
            try:
                return self.post("/api/usage/track", call)
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline:
                    raise

    def wait(self):
        """Until everything has arrived. What would come twice has come when the server has ended."""
        deadline = time.monotonic() + ARRIVAL_SECONDS
        expected = (len(LETTERS), len(WEBHOOKS))
        while (len(self.mailbox.subjects), len(self.receiver.received)) < expected:
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)

    def check(self, checks, what: str):
        url = f"http://127.0.0.1:{self.port}"
        hooks = request("GET", f"{url}/api/webhooks?projectId={self.project}", bearer=self._token)["data"]
        self.restart()
        self.tracker.terminate()
        webhook = Webhook(hooks[0]["secret"])
        events = [webhook.verify(body, headers) for body, headers in self.receiver.received]
        checks.equal(f"alerts, {what}: letters", sorted(self.mailbox.subjects), LETTERS)
        checks.equal(f"alerts, {what}: webhooks", [event["data"]["threshold"] for event in events], WEBHOOKS)

    def close(self):
        self.tracker.terminate()
        self.mailbox.close()
        self.receiver.close()
        self._data.cleanup()


def one_after_the_other(stage: Stage):
    stage.mailbox.open()
    stage.receiver.open()
    for dollars in (499.99, 0.01, 299, 1, 99, 1, 50):
        stage.spend(dollars)


def many_at_once(stage: Stage):
    """960 dollars by 64 senders, and a restart in the middle."""
    stage.mailbox.open()
    stage.receiver.open()
    calls = SENDERS * CALLS_OF_EACH
    with ThreadPoolExecutor(SENDERS) as pool:
        sent = [pool.submit(stage.spend, DOLLARS_OF_A_CALL) for _ in range(calls)]
        sent[calls // 2].result()
        stage.restart()
        for call in sent:
            call.result()


def killed_after_the_answer(stage: Stage):
    """Nobody listens yet: what arrives was told by the next life."""
    stage.spend(950)
    stage.tracker.kill()
    stage.mailbox.open()
    stage.receiver.open()
    stage.start()


def run(checks, binary: str):
    for scene in (one_after_the_other, many_at_once, killed_after_the_answer):
        stage = Stage(binary)
        try:
            scene(stage)
            stage.wait()
            stage.check(checks, scene.__name__.replace("_", " "))
        finally:
            stage.close()
