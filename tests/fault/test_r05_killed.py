"""R5: a killed service costs what it had in hand at most, and is used again once it is back.

The callers pause between questions, so that they take about half of two CPUs:
how soon a service is back that has to share them with an endless queue says
more of the queue.
"""

import signal
import statistics
import time

import grpc
import pytest

from gremium.v1 import manifest_pb2
from tests.fault.five import told
from tests.fault.load import load
from tests.fault.replicas import wait_until

pytestmark = pytest.mark.measures

TIMEOUT_S = 10.0
CALLERS = 10
PAUSE_S = 0.05
SETTLE_S = 0.1
DOWN_S = 0.6
LOST_S = 1.0
BACK_S = 2.0


@pytest.fixture(scope="module")
def server(frail):
    return frail.server


@pytest.fixture(scope="module")
def mesh(frail):
    return frail.mesh


def killed(mesh, service):
    """Kill all of a service under load and start it again; what callers got, when it died and began anew."""
    victims = mesh.replicas[service]
    with load(
        mesh.address, callers=CALLERS, ensemble="echo", timeout_s=TIMEOUT_S, pause_s=PAUSE_S
    ) as seen:
        wait_until(lambda: len(seen.got) >= CALLERS, within_s=TIMEOUT_S)
        time.sleep(SETTLE_S)
        died_s = time.monotonic()
        for victim in victims:
            victim.send(signal.SIGKILL)
        for victim in victims:
            victim.ended()
        time.sleep(DOWN_S)
        began_s = time.monotonic()
        for victim in victims:
            victim.start()
        mesh.until_serving(service)
        wait_until(lambda: any(got.whole for got in seen.since(began_s)), within_s=30)
        time.sleep(SETTLE_S)
    return seen, died_s, began_s


def back_s(seen, began_s):
    """Seconds by which the first request after the new start that got all it should was late."""
    usual_s = statistics.median(got.took_s for got in seen.got[:CALLERS])
    return min(got.ended_s for got in seen.since(began_s) if got.whole) - began_s - usual_s


def reasons(reply, service):
    """Why a stage did not do its part."""
    stage = manifest_pb2.Stage.Value(f"STAGE_{service.upper()}")
    parts = reply.manifest.participations
    return {part.reason for part in parts if part.stage == stage and part.reason}


def right_or_refused(got):
    return got.right or got.error is not None


@pytest.mark.parametrize("service", ["router", "aggregator", "judge"])
def test_every_caller_has_a_right_answer_in_time(mesh, row, service):
    seen, died_s, began_s = killed(mesh, service)

    assert all(got.right for got in seen.got)
    lost = {reason for got in seen.since(died_s + 0.2) for reason in reasons(got.reply, service)}
    assert {"PEER_UNAVAILABLE"} <= lost <= {"PEER_UNAVAILABLE", "STAGE_LOST"}
    assert all(got.reply.degraded for got in seen.got if reasons(got.reply, service))
    row.at_most(
        "R5",
        f"slowest answer, {service} killed",
        max(got.took_s for got in seen.got),
        TIMEOUT_S / 5,
        unit="s",
        undisturbed=max(got.took_s for got in seen.got if got.ended_s < died_s),
    )
    row.at_most("R5", f"{service} used after its start", back_s(seen, began_s), BACK_S, unit="s")


def test_a_killed_jury_is_told_at_once_and_asked_nothing_twice(mesh, row, server):
    asked_before = server.calls_of("echo")
    seen, died_s, began_s = killed(mesh, "jury")
    lost = [got for got in seen.underway_at(died_s) if got.error]

    assert all(right_or_refused(got) for got in seen.got)
    assert lost
    assert {"UNAVAILABLE"} == {told(got.error)[0] for got in lost}
    assert {"STAGE_LOST", "PEER_UNAVAILABLE"} >= {told(got.error)[1] for got in lost}
    assert server.calls_of("echo") - asked_before <= 3 * len(seen.got)
    told_s = max(got.ended_s for got in lost) - died_s
    row.at_most("R5", "loss of a killed jury told after", told_s, LOST_S, unit="s")
    row.at_most("R5", "jury used after its start", back_s(seen, began_s), BACK_S, unit="s")


def test_a_killed_gateway_is_noticed_at_once(mesh, row):
    seen, died_s, began_s = killed(mesh, "gateway")
    lost = seen.underway_at(died_s)

    assert all(right_or_refused(got) for got in seen.got)
    assert {grpc.StatusCode.UNAVAILABLE} == {got.error.code() for got in lost}
    told_s = max(got.ended_s for got in lost) - died_s
    row.at_most("R5", "loss of a killed gateway seen after", told_s, LOST_S, unit="s")
    row.at_most("R5", "gateway used after its start", back_s(seen, began_s), BACK_S, unit="s")
