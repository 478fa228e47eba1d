"""The bench over recorded models runs through five processes, and goes on where it was."""

import os
import subprocess
import sys

from bench.frontier import FAMILIES
from tests.running import ROOT, environment

PATTERNS = ("cascade", "cascade-all", "jury-all", "jury-cheap", "jury-strong", "route")


def run(results):
    return subprocess.run(
        [
            *(sys.executable, ROOT / "bench/recorded.py", "--questions", "3"),
            *("--data", os.environ["GREMIUM_DATA"], "--results", results),
        ],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_every_pattern_stands_beside_every_model(require, tmp_path):
    require("data")

    done = run(tmp_path)

    assert 0 == done.returncode, done.stderr[-2000:]
    for who in (*FAMILIES, "oracle", *PATTERNS):
        assert f"| {who} |" in done.stdout
    assert (tmp_path / "cost-accuracy.png").read_bytes().startswith(b"\x89PNG")
    assert [3] * len(PATTERNS) == [
        len(path.read_text().splitlines()) for path in tmp_path.glob("*.jsonl")
    ]
