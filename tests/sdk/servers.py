"""The fake upstream and the tracker, as processes of their own."""

import json
import subprocess
import tempfile
import threading
import time
import urllib.request
from decimal import Decimal

KEY = "sk-upstream"
AWS_ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
AWS_SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"
# What the tracker takes as a provider's key, and what the fake has to see of it.
PROVIDER_KEYS = {
    "openai": KEY,
    "anthropic": KEY,
    "google": KEY,
    "bedrock": json.dumps(
        {"accessKeyId": AWS_ACCESS_KEY, "secretAccessKey": AWS_SECRET_KEY, "region": REGION}
    ),
}
WAIT_SECONDS = 20


def request(method: str, url: str, body=None, bearer: str | None = None, or_none: bool = False):
    """JSON in, JSON out; numbers keep their digits. With `or_none`, what is not there is None."""
    headers = {"content-type": "application/json"}
    if bearer:
        headers["authorization"] = f"Bearer {bearer}"
    data = None if body is None else json.dumps(body).encode()
    message = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(message, timeout=WAIT_SECONDS) as reply:
            return json.loads(reply.read() or b"null", parse_float=Decimal)
    except urllib.error.HTTPError as error:
        if or_none and error.code == 404:
            return None
        raise AssertionError(f"{method} {url}: {error.code} {error.read().decode()}") from error


class Process:
    """A server that says on its first lines where it listens. Stopped by its own id."""

    def __init__(self, command: list[str], log_is_stderr: bool):
        streams = {"stderr": subprocess.PIPE} if log_is_stderr else {"stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, text=True, **streams)
        self.pid = self._process.pid
        log = self._process.stderr if log_is_stderr else self._process.stdout
        self.log: list[str] = []
        for line in log:
            self.log.append(line)
            if "listening on " in line:
                self.url = line.split("listening on ")[1].split()[0]
                break
        else:
            raise SystemExit(f"{command[0]} ended before it listened:\n{''.join(self.log)}")
        # A server whose log nobody takes would block.
        threading.Thread(target=lambda: self.log.extend(log), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.terminate()

    def terminate(self):
        self._process.terminate()
        self._process.wait()

    def kill(self):
        self._process.kill()
        self._process.wait()


class Fake(Process):
    def __init__(self, binary: str):
        super().__init__([binary, "--port", "0"], log_is_stderr=False)

    def reset(self):
        request("POST", f"{self.url}/_fake/reset")

    def requests(self):
        return request("GET", f"{self.url}/_fake/requests")

    def ledger(self):
        return request("GET", f"{self.url}/_fake/ledger")


class Tracker(Process):
    """The tracker over an empty store, with an owner, a project, a tracker key and the providers' keys."""

    def __init__(self, binary: str, upstream: str):
        self._data = tempfile.TemporaryDirectory(prefix="tracker-")
        command = [binary, "--data-dir", self._data.name, "serve", "--port", "0"]
        settings = {f"gateway.providers.{provider}.base_url": upstream for provider in PROVIDER_KEYS}
        # Quick passwords: there is only one, and it is above.
        settings |= {"auth.argon2.memory_kib": 8, "auth.argon2.iterations": 1}
        # What measures the gateway sends more with one key than one may.
        settings |= {"limits.requests_per_minute_credential": 0, "limits.requests_per_minute_address": 0}
        for name, value in settings.items():
            command += ["--setting", f"{name}={value}"]
        super().__init__(command, log_is_stderr=True)
        owner = {"email": "owner@example.com", "password": "correct horse", "name": "Owner"}
        self._token = self._post("/api/auth/register", owner)["accessToken"]
        self.project = self._post("/api/projects", {"name": "SDKs"})["id"]
        for service, key in PROVIDER_KEYS.items():
            self._post("/api/user/api-keys", {"service": service, "key": key})
        key = self._post("/api/user/dashboard-api-keys", {"name": "sdk", "scopes": ["admin"]})
        self.key = key["apiKey"]

    def __exit__(self, *reason):
        super().__exit__(*reason)
        self._data.cleanup()

    def _post(self, path: str, body):
        return request("POST", self.url + path, body, getattr(self, "_token", None))["data"]

    def record(self, record_id: str):
        """The record of a call whose reply named it; None while it is not written."""
        reply = request("GET", f"{self.url}/api/usage/{record_id}", bearer=self._token, or_none=True)
        return reply and reply["data"]

    def find_record(self, request_id: str):
        """The record of a call with this key, among the last; None while it is not written."""
        url = f"{self.url}/api/usage?limit=20&order=desc"
        records = request("GET", url, bearer=self._token)["data"]
        found = [record for record in records if record["requestId"] == request_id]
        return self.record(found[0]["id"]) if found else None

    def count_records(self, expected: int) -> int:
        """How many there are; the last are written a moment after their replies."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            stats = request("GET", f"{self.url}/api/usage/stats", bearer=self._token)["data"]
            if stats["totalRequests"] >= expected or time.monotonic() > deadline:
                return stats["totalRequests"]
