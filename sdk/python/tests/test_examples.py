"""The examples run as they are, with nothing but the environment."""

import os
import subprocess
import sys

import pytest
from servers import KEY, ROOT

EXPECTED = {
    "observe": ["Every call has its price", "records sent: 1"],
    # gpt-4: (7 + 8) × 30 + 16 × 60. As gpt-4o-mini: 15 × 0.15 + 16 × 0.60
    "optimize": ["tokens: 31 cost: 0.00141", "whitespace True", "cheaper_model False gpt-4o-mini 0.00139815"],
    # 0.002 + 1000 × 0.15 + 500 × 0.60
    "import_history": ["imported: 2 known before: 0", "total cost: 0.00245"],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_example(name, fake, tracker):
    env = {
        "PYTHONPATH": str(ROOT / "sdk/python/src"),
        "PATH": os.environ["PATH"],
        "API_KEY": f"{tracker.url}/api",
        "AICT_API_KEY": tracker.key,
        "PROJECT_ID": tracker.send("POST", "/api/projects", {"name": name})["id"],
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{fake.url}/v1",
    }
    command = [sys.executable, str(ROOT / f"examples/python/{name}.py")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    for text in EXPECTED[name]:
        assert text in done.stdout
    assert done.stderr == ""
