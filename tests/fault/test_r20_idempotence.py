"""R20: one request_id is one set of model calls and one answer, twice, at once, after a restart."""

import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc
from tests.fault.five import failure, request, told
from tests.fault.replicas import wait_until
from tests.fault.supervised import BACK_S, answers, process

CALLERS = 8
TIMEOUT_S = 20.0
CALLS = 4
"""Three jurors and a judge."""


@pytest.fixture(scope="module")
def mesh(supervised):
    return supervised.mesh


@pytest.fixture
def gateway(mesh):
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        wait_until(lambda: answers(stub), within_s=BACK_S)
        yield stub


@pytest.fixture
def calls(gateway, supervised):
    """Tells how many calls of models a test has caused."""
    before = supervised.server.calls
    return lambda: supervised.server.calls - before


def named(row, what):
    return request(request_id=f"{what}-{row.turn}-{time.monotonic_ns()}")


def streamed(gateway, asked):
    """The last that a stream tells."""
    call = gateway.AskStream(ensemble_pb2.AskStreamRequest(ask=asked), timeout=TIMEOUT_S)
    *_, last = call
    return last.final


def essence(reply):
    return reply.answer, reply.manifest


def test_at_once_it_is_one_set_of_calls_and_the_same_answer(row, gateway, calls):
    asked = named(row, "at-once")
    with ThreadPoolExecutor(CALLERS) as callers:
        unary = [callers.submit(gateway.Ask, asked, TIMEOUT_S) for _ in range(CALLERS // 2)]
        streams = [callers.submit(streamed, gateway, asked) for _ in range(CALLERS // 2)]
        replies = [call.result() for call in (*unary, *streams)]

    assert all(essence(reply) == essence(replies[0]) for reply in replies)
    assert 1 == sum(not reply.replayed for reply in replies)
    row.at_most("R20", "model calls beyond one set, at once", calls() - CALLS, 0)


def test_another_body_is_refused_though_the_first_still_runs(row, gateway, calls):
    asked = named(row, "other")
    first = gateway.Ask.future(asked, timeout=TIMEOUT_S)
    wait_until(lambda: calls() >= 3, within_s=TIMEOUT_S)
    other = request(request_id=asked.request_id)
    other.prompt.messages[0].parts[0].text = "What is 3 + 3?"

    error = failure(lambda: gateway.Ask(other, timeout=TIMEOUT_S))

    assert ("ALREADY_EXISTS", "REQUEST_ID_REUSED") == told(error)[:2]
    assert not first.result().replayed


def test_who_has_no_time_to_wait_is_told_that_it_still_runs(row, gateway, calls):
    asked = named(row, "hurry")
    first = gateway.Ask.future(asked, timeout=TIMEOUT_S)
    wait_until(lambda: calls() >= 3, within_s=TIMEOUT_S)

    error = failure(lambda: gateway.Ask(asked, timeout=0.2))

    assert ("ABORTED", "REQUEST_IN_PROGRESS") == told(error)[:2]
    assert not first.result().replayed


def test_after_the_gateways_death_it_is_the_same_answer(row, mesh, gateway, calls):
    asked = named(row, "restart")
    first = gateway.Ask(asked, timeout=TIMEOUT_S)
    process(mesh, "services.gateway").kill()
    again = answered(gateway, asked)

    assert essence(first) == essence(again)
    assert (False, True) == (first.replayed, again.replayed)
    row.at_most("R20", "model calls beyond one set, restarted", calls() - CALLS, 0)


def answered(gateway, asked):
    """The reply as soon as there is a gateway again."""
    until = time.monotonic() + BACK_S
    while True:
        try:
            return gateway.Ask(asked, timeout=TIMEOUT_S, wait_for_ready=True)
        except grpc.RpcError as err:
            if err.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > until:
                raise
            time.sleep(0.1)
