"""R20: one request_id is one set of model calls and one answer, twice, at once, after a restart."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc
from tests.fault.five import failure, request, told
from tests.fault.replicas import wait_until
from tests.fault.supervised import BACK_S, answers

CALLERS = 8
TIMEOUT_S = 20.0
CALLS = 4
"""Three jurors and a judge."""


@pytest.fixture
def gateway(supervised):
    with answering(supervised.mesh.address) as stub:
        yield stub


@contextmanager
def answering(address):
    """A gateway, once all its stages answer."""
    with grpc.insecure_channel(address) as channel:
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


def test_after_the_gateways_death_it_is_the_same_answer(row, frail):
    asked, process = named(row, "restart"), frail.mesh.one("gateway")
    with answering(process.address) as gateway:
        before = frail.server.calls
        first = gateway.Ask(asked, timeout=TIMEOUT_S)
        process.send(signal.SIGKILL)
        process.ended()
        process.start()
        process.until_serving()
        again = gateway.Ask(asked, timeout=TIMEOUT_S, wait_for_ready=True)

    assert essence(first) == essence(again)
    assert (False, True) == (first.replayed, again.replayed)
    more = frail.server.calls - before - CALLS
    row.at_most("R20", "model calls beyond one set, restarted", more, 0)
