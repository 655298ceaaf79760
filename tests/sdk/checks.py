"""Official SDKs, unchanged, directly at a provider and through the gateway: the same bytes, the same results, the right
bill. `tests/sdk/run` says how it is started; the last line counts what was checked."""

import dataclasses
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal

import alerts
import python_calls
from servers import AWS_ACCESS_KEY, AWS_SECRET_KEY, KEY, Fake, Tracker
from wire import Exchange, Wire

# Nobody can say what it costs, and the record says why.
UNPRICED = "unpriced"
# What each call costs, from the providers' public price lists (US dollars per million tokens), by hand. The fake counts
# the words of the prompt and 8 more as input (INPUT_TOKENS_BASE), and answers 16 words. None: nothing is billed.
COSTS = {
    # gpt-4o-mini: 0.15 in, 0.60 out. 17 × 0.15 + 16 × 0.60 = 12.15
    "openai_chat": "0.00001215",
    "openai_chat_stream": "0.00001215",
    "openai_chat_stream_without_usage": "0.00001215",
    # gpt-4.1-mini: 0.40 in, 1.60 out. 19 × 0.40 + 16 × 1.60 = 33.2
    "openai_tools": "0.0000332",
    # 15 × 0.40 + 16 × 1.60 = 31.6
    "openai_responses": "0.0000316",
    "openai_responses_stream": "0.0000316",
    # text-embedding-3-small: 0.02. 9 × 0.02 = 0.18
    "openai_embeddings": "0.00000018",
    # whisper-1: 0.006 a minute. 9 s / 60 × 0.006
    "openai_transcription": "0.0009",
    # gpt-image-1: 5 in, 40 out. 15 × 5 + 1056 × 40 = 42315
    "openai_image": "0.042315",
    # tts-1: 15 a million characters. 39 × 15 = 585
    "openai_speech": "0.000585",
    # Charged by tokens of sound, which the reply does not tell.
    "openai_speech_unpriced": UNPRICED,
    "openai_file": None,
    "openai_batch": None,
    # gpt-4o-mini in a batch: 0.075 in, 0.30 out. 100 × 0.075 + 20 × 0.30 = 13.5
    "openai_batch_results": "0.0000135",
    "openai_models": None,
    "openai_error_429": None,
    "openai_error_400": None,
    # Claude Haiku 4.5: 1 in, 5 out; writing to the cache 1.25 (5 minutes) or 2 (an hour), reading it 0.10.
    # 15 × 1 + 16 × 5 = 95
    "anthropic_messages": "0.000095",
    "anthropic_stream": "0.000095",
    # 21 × 1 + 1024 × 1.25 + 1024 × 2 + 16 × 5 = 21 + 1280 + 2048 + 80 = 3429
    "anthropic_cache_write": "0.003429",
    # 21 × 1 + 2048 × 0.10 + 16 × 5 = 21 + 204.8 + 80 = 305.8
    "anthropic_cache_read": "0.0003058",
    # 17 × 1 + 16 × 5 = 97
    "anthropic_tools": "0.000097",
    "anthropic_count_tokens": None,
    "anthropic_batch": None,
    # In a batch 0.50 in, 2.50 out. 100 × 0.50 + 20 × 2.50 = 100
    "anthropic_batch_results": "0.0001",
    "anthropic_models": None,
    "anthropic_error_529": None,
    "anthropic_error_429": None,
    # Gemini 2.5 Flash: 0.30 in, 2.50 out, thoughts included. 15 × 0.30 + (16 + 5) × 2.50 = 57
    "google_generate": "0.000057",
    "google_stream": "0.000057",
    # gemini-embedding-001: 0.15. 9 × 0.15 = 1.35
    "google_embed": "0.00000135",
    "google_count_tokens": None,
    "google_models": None,
    "google_error_429": None,
    # Amazon Nova Lite: 0.06 in, 0.24 out. 15 × 0.06 + 16 × 0.24 = 4.74
    "bedrock_converse": "0.00000474",
    "bedrock_converse_stream": "0.00000474",
    "bedrock_bearer": "0.00000474",
    # Claude 3 Haiku: 0.25 in, 1.25 out. 15 × 0.25 + 16 × 1.25 = 23.75
    "bedrock_invoke": "0.00002375",
    "bedrock_invoke_stream": "0.00002375",
    "bedrock_error_429": None,
}

# Calls of which no reply names the record: it is that of a call of a batch, and has the id of its reply.
REPLIES_OF_BATCHES = {
    "openai_batch_results": "reply:openai:chatcmpl-file-out-{language}",
    "anthropic_batch_results": "reply:anthropic:msg_msgbatch_{language}",
}
# Sound says nothing of what was used.
SOUND = {"openai_speech", "openai_speech_unpriced"}
# Anthropic's SDKs look for the address of the results first.
EXCHANGES = {"anthropic_batch_results": 2}

# Python's SDK sends a Bedrock API key over TLS only; HTTP/2 is compared apart.
ONLY_NODE = {"bedrock_bearer", "bedrock_over_http2"}

# Said to the tracker with every call through the gateway; none of it may reach the provider.
ATTRIBUTION = {
    "x-cost-tags": "sdk,nightly",
    "x-cost-department": "research",
    "x-cost-team": "evals",
    "x-cost-purpose": "conformance",
    "x-cost-client": "acme",
    "x-cost-campaign": "autumn",
    "x-session-id": "session-7",
    "x-end-user": "ada@example.com",
}
# How long a record may take that is written when its stream has ended.
RECORD_SECONDS = 5
# What differs between two calls of the same client, or belongs to one hop.
OF_ONE_CALL = {
    "host",
    "connection",
    "accept-encoding",
    "transfer-encoding",
    "content-length",
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "x-amz-date",
    "x-amz-content-sha256",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "content-type",
    "expect",
    "user-agent",
}


@dataclass
class Way:
    """Where a client sends its calls, and with what."""

    url: str
    key: str
    aws_access_key: str
    aws_secret_key: str
    headers: dict[str, str]

    def for_node(self):
        names = {"aws_access_key": "awsAccessKey", "aws_secret_key": "awsSecretKey"}
        return {names.get(name, name): value for name, value in dataclasses.asdict(self).items()}


class Checks:
    """Counts what is right, and remembers what is not."""

    def __init__(self):
        self.passed = 0
        self.failures: list[str] = []

    def equal(self, what: str, got, expected):
        if got == expected:
            self.passed += 1
        else:
            self.failures.append(f"{what}:\n    got      {shown(got)}\n    expected {shown(expected)}")


def shown(value) -> str:
    text = repr(value)
    return text if len(text) < 1500 else f"{text[:1500]}… ({len(text)})"


class Python:
    name = "python"

    def calls(self):
        return python_calls.calls()

    def run(self, call: str, way: Way):
        return self.calls()[call](way)


class Node:
    name = "node"

    def __init__(self, script: str):
        listed = subprocess.run(["node", script, "--list"], capture_output=True, text=True, check=True)
        self._calls = json.loads(listed.stdout)
        self._process = subprocess.Popen(
            ["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def calls(self):
        return self._calls

    def run(self, call: str, way: Way):
        self._process.stdin.write(json.dumps({"call": call, "to": way.for_node()}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "failed" in answer:
            raise AssertionError(answer["failed"])
        return answer["parsed"]

    def stop(self):
        self._process.stdin.close()
        self._process.wait()


class Comparison:
    """The same call by both ways."""

    def __init__(self, checks: Checks, fake: Fake, tracker: Tracker):
        self.checks, self.fake, self.tracker = checks, fake, tracker
        self.direct_wire, self.gateway_wire = Wire(fake.url), Wire(tracker.url)

    def direct(self, salt: str) -> Way:
        return Way(self.direct_wire.url, KEY, AWS_ACCESS_KEY, AWS_SECRET_KEY, {"x-fake-salt": salt})

    def gateway(self, provider: str, salt: str) -> Way:
        # No provider gives two replies the same id: that would be the same call, reported twice.
        headers = {**ATTRIBUTION, "x-project-id": self.tracker.project, "x-fake-salt": salt}
        url = f"{self.gateway_wire.url}/gateway/{provider}"
        return Way(url, self.tracker.key, self.tracker.key, "anything", headers)

    def run(self, language, call: str):
        what = f"{language.name} {call}"
        provider = call.split("_")[0]
        try:
            direct, direct_seen, _ = self._call(language, call, self.direct(what), self.direct_wire)
            gateway, gateway_seen, ledger = self._call(language, call, self.gateway(provider, what), self.gateway_wire)
        except Exception as error:
            self.checks.failures.append(f"{what}: {type(error).__name__}: {error}")
            self.direct_wire.forget()
            self.gateway_wire.forget()
            return
        self.checks.equal(f"{what}: what the SDK makes of it", plain(gateway), plain(direct))
        for (exchange, at_upstream), (reply, upstream) in zip(direct_seen, gateway_seen, strict=True):
            self._compare_replies(what, call, exchange, reply)
            self._compare_requests(what, call, at_upstream, upstream)
        self._check_record(what, call, reply, ledger)

    def _compare_replies(self, what: str, call: str, direct: Exchange, reply: Exchange):
        status = re.search(r"_error_(\d+)$", call)
        self.checks.equal(f"{what}: status at the provider", direct.status, int(status[1]) if status else 200)
        self.checks.equal(f"{what}: status", reply.status, direct.status)
        self.checks.equal(f"{what}: content-type", reply.headers["content-type"], direct.headers["content-type"])
        # The one link that leads to the provider directly leads back to the gateway.
        back = f"{self.gateway_wire.url}/gateway/anthropic".encode()
        body = reply.body.replace(back, self.direct_wire.url.encode())
        self.checks.equal(f"{what}: bytes of the reply", body, direct.body)

    def http2(self, node: Node):
        """AWS's SDK for Node speaks HTTP/2 to Bedrock, also without TLS: the gateway has to understand it."""
        what = "node bedrock_over_http2"
        way = dataclasses.replace(self.gateway("bedrock", what), url=f"{self.tracker.url}/gateway/bedrock")
        try:
            over_http2 = node.run("bedrock_over_http2", way)
        except AssertionError as error:
            self.checks.failures.append(f"{what}: {error}")
            return
        self.checks.equal(what, over_http2, node.run("bedrock_converse", way))

    def _call(self, language, call: str, way: Way, wire: Wire):
        self.fake.reset()
        parsed = language.run(call, way)
        if parsed is None:
            raise AssertionError("the call did not raise")
        exchanges, requests = wire.take(), self.fake.requests()
        expected = EXCHANGES.get(call, 1)
        if len(exchanges) != expected or len(requests) != expected:
            raise AssertionError(f"{len(exchanges)} exchanges, {len(requests)} requests; {expected} expected")
        return parsed, list(zip(exchanges, requests, strict=True)), self.fake.ledger()

    def _compare_requests(self, what: str, call: str, direct: dict, upstream: dict):
        self.checks.equal(f"{what}: method and target", self._line(upstream), self._line(direct))
        if call.endswith("without_usage"):
            # The one addition of the gateway's: what it needs to know of a stream. Its trace in the reply is taken out again.
            added = {"stream_options": {"include_usage": True}}
            asked = json.loads(direct["body"])
            self.checks.equal(f"{what}: request", json.loads(upstream["body"]), {**asked, **added})
            self.checks.equal(f"{what}: usage was not asked for", "stream_options" in asked, False)
        else:
            # A form's boundary is a random one.
            self.checks.equal(f"{what}: bytes of the request", unbound(upstream), unbound(direct))
        self.checks.equal(f"{what}: headers that pass", passing(upstream), passing(direct))
        everything = json.dumps(upstream).lower()
        ours = [name for name in (*ATTRIBUTION, "x-project-id", "x-tracker-key") if f'"{name}"' in everything]
        self.checks.equal(f"{what}: headers of ours at the provider", ours, [])
        self.checks.equal(f"{what}: our key at the provider", self.tracker.key.lower() in everything, False)
        self.checks.equal(f"{what}: our address at the provider", self.tracker.url[7:] in everything, False)

    @staticmethod
    def _line(request: dict) -> str:
        return f"{request['method']} {request['target']}"

    def _check_record(self, what: str, call: str, reply: Exchange, ledger: list[dict]):
        record_id = reply.headers.get("x-cost-request-id")
        expected = COSTS[call]
        if expected is None:
            self.checks.equal(f"{what}: bills", ledger, [])
            record = record_id and self._record(record_id)
            self.checks.equal(f"{what}: costs nothing", bool(record and record["cost"]), False)
            return
        of_batch = REPLIES_OF_BATCHES.get(call)
        self.checks.equal(f"{what}: names its record", record_id is not None, not of_batch)
        if of_batch:
            record = self._until(lambda: self.tracker.find_record(of_batch.format(language=what.split()[0])))
        else:
            record = record_id and self._record(record_id)
        if not record:
            self.checks.failures.append(f"{what}: there is no record {record_id}")
            return
        if call not in SOUND:
            self._check_usage(what, record, ledger)
        if expected == UNPRICED:
            self.checks.equal(f"{what}: cost", record["cost"], None)
            self.checks.equal(f"{what}: why it has none", bool(record["unpricedReason"]), True)
        else:
            self.checks.equal(f"{what}: cost", record["cost"], Decimal(expected))
            self.checks.equal(f"{what}: source of the cost", record["costSource"], "catalog")
        if "x-cost-usd" in reply.headers:
            self.checks.equal(f"{what}: x-cost-usd", Decimal(reply.headers["x-cost-usd"]), Decimal(expected))
        else:
            # It is known before the reply begins wherever the reply is no stream.
            is_stream = "stream" in call or call in SOUND or bool(of_batch)
            self.checks.equal(f"{what}: is a stream", is_stream, True)
        allocation = {f"x-cost-{name}": value for name, value in record["costAllocation"].items() if value}
        said = {name: value for name, value in ATTRIBUTION.items() if name in allocation}
        self.checks.equal(f"{what}: allocation", allocation, said)
        self.checks.equal(f"{what}: all of the allocation", len(allocation), 5)
        self.checks.equal(f"{what}: tags", sorted(record["tags"]), ["nightly", "sdk"])
        self.checks.equal(f"{what}: project", record["projectId"], self.tracker.project)
        self.checks.equal(f"{what}: session", record["sessionId"], "session-7")
        self.checks.equal(f"{what}: end user", record["userEmail"], "ada@example.com")
        self.checks.equal(f"{what}: provider", record["provider"], call.split("_")[0])

    def _check_usage(self, what: str, record: dict, ledger: list[dict]):
        self.checks.equal(f"{what}: number of bills", len(ledger), 1)
        bill = ledger[0]
        billed = {name: count for name, count in bill["usage"].items() if count and name.endswith("_tokens")}
        # What nobody counted is absent there, and 0 here; totals are not the fake's.
        recorded = {name: count for name, count in record["usage"].items() if count and name in bill["usage"]}
        recorded = {name: count for name, count in recorded.items() if name.endswith("_tokens")}
        self.checks.equal(f"{what}: tokens", recorded, billed)
        models = (record["model"], record["responseModel"])
        self.checks.equal(f"{what}: model {bill['model']} is one of {models}", bill["model"] in models, True)

    def _record(self, record_id: str):
        """The record; of a stream it is written when the stream has ended, which the client may notice earlier."""
        return self._until(lambda: self.tracker.record(record_id))

    @staticmethod
    def _until(find):
        deadline = time.monotonic() + RECORD_SECONDS
        while time.monotonic() < deadline:
            if record := find():
                return record
        return None


def plain(value):
    return json.loads(json.dumps(value, default=str, sort_keys=True))


def unbound(request: dict) -> str:
    kind = dict(map(tuple, request["headers"])).get("content-type", "")
    boundary = re.search(r"boundary=(\S+)", kind)
    return request["body"].replace(boundary[1], "boundary") if boundary else request["bodyBase64"]


def passing(request: dict) -> list:
    return sorted([name, value] for name, value in request["headers"] if name not in OF_ONE_CALL)


def own_key(checks: Checks, fake: Fake, tracker: Tracker):
    """The caller's own key of the provider passes, beside the tracker key; a wrong one is the provider's to refuse."""
    for key, expected in ((KEY, 200), ("sk-another", 401)):
        fake.reset()
        way = Way(f"{tracker.url}/gateway/openai", key, "", "", {"x-tracker-key": tracker.key})
        try:
            python_calls.openai_chat(way)
            status = 200
        except python_calls.openai.AuthenticationError as error:
            status = error.status_code
        checks.equal(f"own key {key}: status", status, expected)
        sent = dict(map(tuple, fake.requests()[0]["headers"]))
        checks.equal(f"own key {key}: is what the provider gets", sent["authorization"], f"Bearer {key}")
        checks.equal(f"own key {key}: tracker key is not", tracker.key in json.dumps(sent), False)


def main(fake_binary: str, tracker_binary: str, node_script: str) -> int:
    checks = Checks()
    with Fake(fake_binary) as fake, Tracker(tracker_binary, fake.url) as tracker:
        comparison = Comparison(checks, fake, tracker)
        node = Node(node_script)
        for language in (Python(), node):
            missing = sorted((COSTS.keys() ^ set(language.calls())) - ONLY_NODE)
            checks.equal(f"{language.name}: calls without a cost, or the other way round", missing, [])
            for call in (call for call in COSTS if call in language.calls()):
                comparison.run(language, call)
        own_key(checks, fake, tracker)
        comparison.http2(node)
        node.stop()
    alerts.run(checks, tracker_binary)
    for failure in checks.failures:
        print(f"FAILED {failure}")
    print(f"{checks.passed} checks of SDKs passed, {len(checks.failures)} failed")
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
