"""The gateway knows how the jurors' models fare, and forgets it when it is too old."""

import asyncio

import pytest

from gremium.v1 import model_status_pb2
from services.core.errors import PeerError
from services.gateway.model_health import OLD_S, ModelHealth, merged, watched
from services.runtime.wire import duration_from_wire, duration_to_wire

OPEN = model_status_pb2.BREAKER_STATE_OPEN
CLOSED = model_status_pb2.BREAKER_STATE_CLOSED


def state(model="m", breaker=CLOSED, p50=None, p95=None, probe_in=None):
    return model_status_pb2.ModelState(
        model=model,
        breaker=breaker,
        probe_in=None if probe_in is None else duration_to_wire(probe_in),
        latency_p50=None if p50 is None else duration_to_wire(p50),
        latency_p95=None if p95 is None else duration_to_wire(p95),
    )


def replica(*states, service="jury"):
    return model_status_pb2.Replica(service=service, id="x", models=states)


@pytest.mark.parametrize(
    ("breakers", "expected"),
    [((OPEN, OPEN), OPEN), ((OPEN, CLOSED), CLOSED)],
    ids=["all leave it alone", "one still asks it"],
)
def test_a_model_is_left_alone_if_all_replicas_do(breakers, expected):
    (found,) = merged(replica(state(breaker=each)) for each in breakers)

    assert expected == found.breaker


def test_it_is_left_alone_until_the_first_replica_would_probe_it():
    now = [0.0]
    health = ModelHealth(clock=lambda: now[0])
    health.note([replica(state(breaker=OPEN, probe_in=each)) for each in (3.0, 2.0)])

    seen = []
    for now[0] in (0.0, 1.9, 2.0, 5.0):
        (found,) = health.models
        seen.append(found.breaker == OPEN)

    assert [True, True, False, False] == seen


def test_its_latency_is_the_median_and_the_slowest_end():
    (found,) = merged([replica(state(p50=1.0, p95=4.0)), replica(state(p50=3.0, p95=9.0))])

    assert (2.0, 9.0) == (
        duration_from_wire(found.latency_p50),
        duration_from_wire(found.latency_p95),
    )


def test_unknown_latencies_stay_unknown():
    (found,) = merged([replica(state())])

    assert not found.HasField("latency_p50")


def test_what_judges_see_of_a_model_says_nothing_of_jurors():
    assert () == merged([replica(state(breaker=OPEN), service="judge")])


def test_old_states_are_forgotten():
    now = [0.0]
    health = ModelHealth(clock=lambda: now[0])
    health.note([replica(state())])
    fresh, now[0] = health.models, OLD_S + 1.0

    assert 1 == len(fresh)
    assert () == health.models


class Told:
    """Fails at first, then tells."""

    def __init__(self):
        self.asked = asyncio.Event()
        self.failures = 1

    async def told(self, *, deadline):
        assert deadline.left_s > 0.0
        if self.failures:
            self.failures -= 1
            raise PeerError("not there")
        self.asked.set()
        return model_status_pb2.ListModelStatesResponse(replicas=[replica(state())])


async def test_asks_again_and_again_whatever_fails():
    states = Told()
    async with watched(states, every_s=0.01) as health:
        async with asyncio.timeout(5.0):
            await states.asked.wait()

        assert ["m"] == [each.model for each in health.models]


async def test_without_anybody_to_ask_nothing_is_known():
    async with watched(None) as health:
        assert () == health.models
