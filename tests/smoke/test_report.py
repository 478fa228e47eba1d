"""A ledger that was filled with recorded requests is reported: who was right, what was too dear."""

import json
import os
import subprocess
import sys

from bench.fill import filled
from tests.running import environment

REQUESTS = 90


def test_recorded_requests_fill_the_report(require, tmp_path):
    require("data")
    with filled(tmp_path, os.environ["GREMIUM_DATA"], "--one-process", requests=REQUESTS):
        pass

    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "report", "--json"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 0 == done.returncode, done.stderr[-2000:]
    report = json.loads(done.stdout)
    panel, thrifty, tools = report["ensembles"]
    assert REQUESTS == report["requests"]
    assert [60, 15, 15] == [each["requests"] for each in (panel, thrifty, tools)]
    assert 60 == panel["pools"][0]["labelled"]
    assert panel["pools"][0]["correlation"]["low"] > 0.0
    assert 1.0 == panel["pools"][0]["recount"]["value"]
    assert {"sciences", "money"} <= {each["name"] for each in panel["domains"]}
    assert set(thrifty["routing"]["tiers"]) <= {"small", "large"}
    assert thrifty["routing"]["compared"]["ballots"] > 0
    (choice,) = thrifty["routing"]["choices"]
    assert ("small", "large") == (choice["cheaper"], choice["dearer"])
