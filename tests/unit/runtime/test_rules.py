"""The rules of requests are known before a service serves."""

import subprocess
import sys

from tests.running import ROOT, environment

FIRST_CHECK = """
import time
from gremium.v1 import aggregator_pb2, types_pb2
from services.runtime.rules import check, know_rules

answer = types_pb2.Answer(juror="a", text="4", finish_reason=1)
began = time.thread_time()
know_rules(["gremium.v1.AggregatorService"])
known = time.thread_time()
check(aggregator_pb2.AggregateRequest(answers=[answer]))
print((known - began) / (time.thread_time() - known))
"""


def test_the_first_request_does_not_wait_for_its_rules():
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_CHECK],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert float(ran.stdout) > 5.0
