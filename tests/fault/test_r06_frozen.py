"""R6: who is frozen is noticed, left alone, and asked again once it goes on."""

import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2_grpc
from tests.fault.five import request, told
from tests.fault.replicas import wait_until

pytestmark = pytest.mark.measures

TIMEOUT_S = 12.0
SHORT_S = 1.0
JURORS = 3
AT_ONCE_S = 0.3
NOTICED_S = 5.0
"""Two pings, and one attempt to connect anew."""
BACK_S = 2.0
LIMIT_S = 30.0
UPSTREAM_BACK_S = 10.0


@pytest.fixture(scope="module")
def away(frail):
    return frail.away


@pytest.fixture(scope="module")
def mesh(frail):
    return frail.mesh


@pytest.fixture
def gateway(mesh):
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        wait_until(lambda: whole(timed(stub)[0]), within_s=LIMIT_S)
        yield stub


def timed(gateway, ensemble="default", timeout_s=TIMEOUT_S, request_id=""):
    """What a caller gets, and how long it took."""
    began = time.monotonic()
    try:
        got = gateway.Ask(request(ensemble, request_id), timeout=timeout_s)
    except grpc.RpcError as err:
        got = err
    return got, time.monotonic() - began


def whole(got):
    """Whether it is an answer to which every service did its part."""
    return not isinstance(got, grpc.RpcError) and not got.degraded


def until_at_once(gateway):
    """Seconds until calls wait no more for who is frozen, and what they got meanwhile."""
    began, got, quick = time.monotonic(), [], 0
    while quick < 3:
        reply, took_s = timed(gateway)
        got.append(reply)
        quick = quick + 1 if took_s < AT_ONCE_S else 0
        assert time.monotonic() - began < LIMIT_S
    return time.monotonic() - began, got


@pytest.mark.parametrize("service", ["router", "aggregator", "judge"])
def test_a_frozen_stage_costs_time_only_until_it_is_noticed(mesh, gateway, row, service):
    with mesh.one(service).frozen():
        noticed_s, got = until_at_once(gateway)
    back_s = wait_until(lambda: whole(timed(gateway)[0]), within_s=LIMIT_S)

    assert {("4", True)} == {(reply.answer.text, reply.degraded) for reply in got}
    row.at_most("R6", f"frozen {service} left alone after", noticed_s, NOTICED_S, unit="s")
    row.at_most("R6", f"{service} asked again after", back_s, BACK_S, unit="s")


def test_a_frozen_jury_of_two_costs_nobody_the_answer(mesh, gateway, row):
    with mesh.replicas["jury"][0].frozen():
        noticed_s, got = until_at_once(gateway)
        got += [timed(gateway)[0] for _ in range(10)]

    assert all(whole(reply) for reply in got)
    row.at_most("R6", "one frozen jury of two left alone after", noticed_s, NOTICED_S, unit="s")


def test_with_all_juries_frozen_everybody_is_told_at_once(mesh, gateway, row):
    one, other = mesh.replicas["jury"]
    with one.frozen(), other.frozen():
        noticed_s, got = until_at_once(gateway)
    back_s = wait_until(lambda: whole(timed(gateway)[0]), within_s=LIMIT_S)

    assert ("UNAVAILABLE", "PEER_UNAVAILABLE") == told(got[-1])[:2]
    row.at_most("R6", "both frozen juries left alone after", noticed_s, NOTICED_S, unit="s")
    row.at_most("R6", "juries asked again after", back_s, BACK_S, unit="s")


def test_who_waits_for_a_jury_that_freezes_is_told_so(mesh, gateway, row):
    call = gateway.Ask.future(request("long"), timeout=LIMIT_S)
    time.sleep(0.5)
    one, other = mesh.replicas["jury"]
    with one.frozen(), other.frozen():
        began = time.monotonic()
        code, reason, metadata = told(call.exception())
        took_s = time.monotonic() - began

    assert ("UNAVAILABLE", "STAGE_LOST", "true") == (code, reason, metadata["models_asked"])
    row.at_most("R6", "loss of a frozen jury told after", took_s, NOTICED_S, unit="s")


def test_a_frozen_gateway_costs_no_more_than_the_deadline_and_asks_nothing_twice(
    frail, gateway, row
):
    before = frail.server.calls_of("echo")
    ids = [f"frozen-{what}-{time.monotonic_ns()}" for what in ("underway", "meanwhile")]
    underway = gateway.Ask.future(request("echo", ids[0]), timeout=TIMEOUT_S)
    wait_until(lambda: frail.server.calls_of("echo") == before + JURORS, within_s=TIMEOUT_S)
    with frail.mesh.one("gateway").frozen():
        error, took_s = timed(gateway, "echo", SHORT_S, ids[1])
    back_s = wait_until(lambda: whole(timed(gateway)[0]), within_s=LIMIT_S)
    first, second = [timed(gateway, "echo", TIMEOUT_S, each)[0] for each in ids]

    assert grpc.StatusCode.DEADLINE_EXCEEDED is error.code()
    assert (True, True, True) == (whole(underway.result()), whole(first), first.replayed)
    # It may have begun the second one before it heard that its caller had left.
    assert whole(second) or told(second)[0] in {"CANCELLED", "DEADLINE_EXCEEDED"}
    assert frail.server.calls_of("echo") - before <= len(ids) * JURORS
    row.at_most("R6", "frozen gateway: deadline missed by", took_s - SHORT_S, 0.05, unit="s")
    row.at_most("R6", "gateway asked again after", back_s, BACK_S, unit="s")


def test_a_frozen_upstream_costs_its_vote_and_no_time(gateway, away, row):
    undisturbed_s = timed(gateway, "away")[1]
    with away.frozen():
        asked = [timed(gateway, "away") for _ in range(10)]
    back_s = wait_until(lambda: votes(timed(gateway, "away")[0]) == 3, within_s=LIMIT_S)

    assert {2} == {votes(reply) for reply, _ in asked}
    slowest_s = max(took_s for _, took_s in asked)
    row.at_most(
        "R6", "answer beside a frozen upstream", slowest_s, 0.8, unit="s", undisturbed=undisturbed_s
    )
    row.at_most("R6", "upstream asked again after", back_s, UPSTREAM_BACK_S, unit="s")


def votes(reply):
    return len(reply.manifest.answers)
