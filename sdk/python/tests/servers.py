"""The fake providers and the tracker, as processes of their own. `TRACKER` and `FAKE_UPSTREAM` name their binaries."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from ai_cost_tracker import QueueOptions

KEY = "sk-upstream"
AWS_ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
AWS_SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ROOT = Path(__file__).parents[3]
# No time decides: for tests of what is told, on machines that are as slow as they are.
PATIENT = {"timeout": 3600.0, "cost_wait": 3600.0, "queue": QueueOptions(close_timeout=3600.0)}


def request(method, url, body=None, bearer=None):
    headers = {"content-type": "application/json"}
    if bearer:
        headers["authorization"] = f"Bearer {bearer}"
    data = None if body is None else json.dumps(body).encode()
    message = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(message, timeout=20) as reply:
            return json.loads(reply.read() or b"null", parse_float=Decimal)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {url}: {error.code} {error.read().decode()}") from error


class Server:
    def __init__(self, command, says):
        self._process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        log = getattr(self._process, says)
        other = self._process.stderr if says == "stdout" else self._process.stdout
        for line in log:
            if "listening on " in line:
                self.url = line.split("listening on ")[1].split()[0]
                break
        else:
            raise SystemExit(f"{command[0]} ended before it listened")
        # A server whose log nobody takes would block.
        for stream in (log, other):
            threading.Thread(target=lambda stream=stream: list(stream), daemon=True).start()

    def stop(self, how=signal.SIGTERM):
        self._process.send_signal(how)
        self._process.wait()


class Fake(Server):
    def __init__(self):
        binary = os.environ.get("FAKE_UPSTREAM", ROOT / "target/debug/fake-upstream")
        super().__init__([str(binary), "--port", "0", "--unique-ids"], "stdout")

    def ledger(self):
        return request("GET", f"{self.url}/_fake/ledger")

    def requests(self):
        return request("GET", f"{self.url}/_fake/requests")

    def reset(self):
        request("POST", f"{self.url}/_fake/reset")


class Tracker:
    """The tracker over a store of its own, with an owner, a project and a tracker key. It can be started again."""

    def __init__(self, settings=()):
        self._data = tempfile.mkdtemp(prefix="tracker-")
        self._settings = ["auth.argon2.memory_kib=8", "auth.argon2.iterations=1", *settings]
        self._start(0)
        owner = {"email": "owner@example.com", "password": "correct horse", "name": "Owner"}
        self._token = None
        self._token = self.send("POST", "/api/auth/register", owner)["accessToken"]
        budget = {"amount": 100, "currency": "USD", "period": "monthly"}
        self.project = self.send("POST", "/api/projects", {"name": "SDK", "budget": budget})["id"]
        key = {"name": "sdk", "scopes": ["admin", "ingest"]}
        self.key = self.send("POST", "/api/user/dashboard-api-keys", key)["apiKey"]

    def _start(self, port):
        binary = os.environ.get("TRACKER", ROOT / "target/debug/ai-cost-tracker")
        command = [str(binary), "--data-dir", self._data, "serve", "--port", str(port)]
        for setting in self._settings:
            command += ["--setting", setting]
        self._server = Server(command, "stderr")
        self.url = self._server.url

    def restart(self, how=signal.SIGKILL):
        self._server.stop(how)
        self._start(urlsplit(self.url).port)

    def remove(self):
        self._server.stop()
        shutil.rmtree(self._data)

    def send(self, method, path, body=None):
        return request(method, self.url + path, body, self._token)["data"]

    def records(self):
        """Every record, the first first."""
        records, page = [], 1
        while True:
            more = self.send("GET", f"/api/usage?limit=100&page={page}")
            records += more
            if len(more) < 100:
                return records[::-1]
            page += 1

    @property
    def config(self):
        return {"base_url": f"{self.url}/api", "api_key": self.key}
