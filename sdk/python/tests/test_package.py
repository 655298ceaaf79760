"""The package as it is published."""

import subprocess
import sys
import zipfile

from servers import ROOT


def test_the_wheel_has_what_is_needed_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", tmp_path, ROOT / "sdk/python"], check=True, timeout=120)
    [wheel] = tmp_path.iterdir()
    names = set(zipfile.ZipFile(wheel).namelist())
    info = "ai_cost_tracker-0.1.0.dist-info"
    source = {path.name for path in (ROOT / "sdk/python/src/ai_cost_tracker").iterdir() if path.is_file()}
    licences = {f"{info}/licenses/LICENSE-MIT", f"{info}/licenses/LICENSE-APACHE"}
    expected = {f"ai_cost_tracker/{name}" for name in source} | licences
    assert names == expected | {f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD"}
    assert "ai_cost_tracker/py.typed" in names
    metadata = zipfile.ZipFile(wheel).read(f"{info}/METADATA").decode()
    assert "License-Expression: MIT OR Apache-2.0" in metadata
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert [line for line in required if "extra ==" not in line] == ["Requires-Dist: httpx>=0.25"]


def test_importing_it_imports_httpx_and_nothing_of_a_provider():
    program = "import sys, ai_cost_tracker; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    source = str(ROOT / "sdk/python/src")
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": source}, capture_output=True, check=True)
    for name in (b"openai", b"anthropic", b"google", b"boto3", b"litellm", b"langchain_core", b"pydantic"):
        assert b"'" + name + b"'" not in done.stdout
