"""Measures the gateway: directly at a fake provider, through the gateway, through LiteLLM's proxy; one after the other, on
this machine, with the same load. Prints a table in Markdown. `make bench-gateway` says how it is started."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/sdk"))
from servers import KEY, Process, Tracker  # noqa: E402

CONNECTIONS = (1, 16, 64)
SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
TICKS = os.sysconf("SC_CLK_TCK")
LITELLM_WAIT_SECONDS = 120


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [other for child in children for other in tree(int(child))]


def cpu_seconds(pid: int) -> float:
    total = 0
    for each in tree(pid):
        fields = pathlib.Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def rss_mib(pid: int) -> float:
    lines = [line for each in tree(pid) for line in pathlib.Path(f"/proc/{each}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def load(url: str, key: str, connections: int, kind: str, pid: int) -> dict:
    command = ["target/release/load", url, key, str(connections), str(SECONDS), kind]
    before = cpu_seconds(pid)
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{url}: {done.stderr}")
    measured = json.loads(done.stdout)
    used = cpu_seconds(pid) - before
    rate = measured["requests"] / measured["seconds"]
    return {
        "sent": measured["sent"],
        "rate": rate,
        "p50": measured["whole"]["p50"] / 1000,
        "p99": measured["whole"]["p99"] / 1000,
        "first": measured["first"]["p50"] / 1000,
        "cpu": used / measured["sent"] * 1000,
        "rss": rss_mib(pid),
    }


def row(name: str, kind: str, connections: int, measured: dict, direct: dict):
    added = lambda key: f"{measured[key] - direct[key]:.2f}" if measured is not direct else "–"  # noqa: E731
    cells = [
        name,
        kind,
        connections,
        f"{measured['rate']:,.0f}",
        f"{measured['p50']:.2f}",
        f"{measured['p99']:.2f}",
        added("p50"),
        added("p99"),
        f"{measured['first']:.2f}" if kind == "stream" else "",
        f"{measured['cpu']:.3f}",
        f"{measured['rss']:.0f}",
    ]
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


class LiteLlm:
    """LiteLLM's proxy with one worker, no database and no log, as its documentation says for production."""

    def __init__(self, program: str, upstream: str, folder: str):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = pathlib.Path(folder) / "litellm.yaml"
        config.write_text(
            "model_list:\n"
            "  - model_name: gpt-4o-mini\n"
            "    litellm_params:\n"
            f"      model: openai/gpt-4o-mini\n      api_base: {upstream}/v1\n      api_key: {KEY}\n"
            "general_settings:\n  master_key: sk-bench\n"
            "litellm_settings:\n  set_verbose: false\n  telemetry: false\n  json_logs: false\n"
        )
        command = [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
        environment = {**os.environ, "LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "NO_DOCS": "True"}
        environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        self._log = open(pathlib.Path(folder) / "litellm.log", "w")
        self._process = subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log)
        self.url, self.pid = f"http://127.0.0.1:{port}", self._process.pid
        deadline = time.monotonic() + LITELLM_WAIT_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/health/liveliness", timeout=5).read()
                break
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise SystemExit(pathlib.Path(self._log.name).read_text()[-3000:]) from None
                time.sleep(0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._log.close()


def main(litellm: str):
    fake_command = ["target/release/fake-upstream", "--port", "0", "--no-records", "--unique-ids"]
    print(
        "| | reply | connections | requests/s | p50 ms | p99 ms | p50 added | p99 added | first byte p50 ms "
        "| CPU ms/request | RSS MiB |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        Process(fake_command, log_is_stderr=False) as fake,
        Tracker("target/release/ai-cost-tracker", fake.url) as tracker,
        LiteLlm(litellm, fake.url, folder) as proxy,
    ):
        ways = [
            ("direct", f"{fake.url}/v1/chat/completions", KEY, fake.pid),
            ("gateway", f"{tracker.url}/gateway/openai/v1/chat/completions", tracker.key, tracker.pid),
            ("LiteLLM", f"{proxy.url}/v1/chat/completions", "sk-bench", proxy.pid),
        ]
        through_gateway = 0
        for kind in ("whole", "stream"):
            for connections in CONNECTIONS:
                direct = None
                for name, url, key, pid in ways:
                    measured = load(url, key, connections, kind, pid)
                    direct = direct or measured
                    through_gateway += measured["sent"] if name == "gateway" else 0
                    row(name, kind, connections, measured, direct)
        print(f"\n{through_gateway} calls through the gateway, {tracker.count_records(through_gateway)} records")


if __name__ == "__main__":
    os.chdir(ROOT)
    main(sys.argv[1])
