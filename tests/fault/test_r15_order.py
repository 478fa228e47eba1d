"""R15: services start in any order, and a gateway is SERVING only when it can answer."""

import random
import signal
import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2_grpc
from tests.fault.five import told
from tests.fault.load import asked, echo
from tests.fault.replicas import cluster, wait_until
from tests.scripted import CONFIG, upstream_thread

TIMEOUT_S = 10.0
PATIENCE_S = 1.0
LIMIT_S = 40.0
SERVICES = ("router", "jury", "judge", "aggregator", "gateway")


@pytest.fixture(scope="module")
def config():
    with upstream_thread({"four": echo()}) as server:
        yield CONFIG.format(url=server.url)


@pytest.fixture
def mesh(tmp_path, config):
    with cluster(tmp_path, config, GREMIUM_GATEWAY_PATIENCE_S=str(PATIENCE_S)) as mesh:
        yield mesh


def shuffled(seed):
    """The services in an order that is another for each seed, and the same each time."""
    return random.Random(seed).sample(SERVICES, k=5)  # noqa: S311 - nobody guesses it


def ask(mesh, word="17"):
    with grpc.insecure_channel(mesh.one("gateway").address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        return asked(stub, word, "default", TIMEOUT_S)


def until_listening(mesh):
    wait_until(lambda: mesh.one("gateway").health() == "NOT_SERVING", within_s=LIMIT_S)


def reason(got):
    return "" if got.error is None else told(got.error)[1]


def test_whatever_the_order_nobody_meets_an_internal_error_and_the_first_answer_is_whole(
    mesh, row, turn
):
    order = shuffled(turn)
    for service in order:
        mesh.one(service).start()
        time.sleep(0.1)
    seen, until = set(), time.monotonic() + LIMIT_S
    while mesh.one("gateway").health() != "SERVING" and time.monotonic() < until:
        seen.add(_outcome(ask(mesh)))
    got = ask(mesh)

    assert got.whole, (order, reason(got))
    assert {"", "PEER_UNAVAILABLE", "not there"} >= seen
    row.at_most("R15", "first answer once SERVING", got.took_s, 0.5, unit="s")


def test_without_a_jury_a_gateway_is_not_serving_and_says_why(mesh):
    for service in ("gateway", "aggregator", "router", "judge"):
        mesh.one(service).start()
    until_listening(mesh)
    time.sleep(2 * PATIENCE_S)
    states, refused = mesh.one("gateway").health(), ask(mesh)
    mesh.one("jury").start()
    mesh.until_serving("gateway")

    assert ("NOT_SERVING", "PEER_UNAVAILABLE") == (states, reason(refused))
    assert ask(mesh).whole


def test_without_the_others_it_serves_after_a_while_what_it_can(mesh, row):
    for service in ("jury", "gateway"):
        mesh.one(service).start()
    mesh.one("jury").until_serving()
    until_listening(mesh)
    began = time.monotonic()
    mesh.until_serving("gateway")
    took_s = time.monotonic() - began
    got = ask(mesh)
    for service in ("aggregator", "router", "judge"):
        mesh.one(service).start()
    wait_until(lambda: ask(mesh).whole, within_s=LIMIT_S)

    assert (True, True) == (got.right, got.reply.degraded)
    row.at_most("R15", "serving with a jury alone after", took_s, PATIENCE_S + 1, unit="s")


def test_a_gateway_that_waits_for_its_jury_ends_in_order(mesh):
    mesh.one("gateway").start()
    until_listening(mesh)
    mesh.one("gateway").send(signal.SIGTERM)

    assert 0 == mesh.one("gateway").ended()


def _outcome(got):
    """Reason of a refusal; empty for an answer, and words where nobody listens yet."""
    if got.error is not None and not got.accepted and got.error.code().name == "UNAVAILABLE":
        return "not there"
    return reason(got)
