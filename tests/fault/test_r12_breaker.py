"""R12: a breaker per model opens, probes and closes; what its callers do to themselves is no failure."""

import time

import pytest

from gremium.v1 import model_status_pb2, model_status_pb2_grpc
from services.gateway.model_health import EVERY_S
from services.models.breaker import State
from services.models.states import LEVELS
from services.runtime import figures
from services.runtime.wire import duration_from_wire
from tests.fault.five import ends, failure, jury, model, request, turns
from tests.fault.stubs import Mode
from tests.running import models_told

TIMEOUT_S = 4.0
OPEN_S = 0.5
BREAKER = {"open_s": OPEN_S, "window": 6, "min_calls": 4}
CLOSED = model_status_pb2.BREAKER_STATE_CLOSED
OPEN = model_status_pb2.BREAKER_STATE_OPEN


def shared_juries(places):
    guarded = {"breaker": BREAKER, "retry": {"max_attempts": 1}}
    parts = []
    for name in ("flapping", "left", "refusing", "shown", "back"):
        own, ensembles = jury({"m": model("m", places.url, **guarded)}, name)
        for each, spec in own.items():
            spec["model"] = each  # a mode of its own for each turn
        parts.append((own, ensembles))
    return parts


def state(channel, model_name):
    """How the jury's model fares, as the gateway tells it."""
    stub = model_status_pb2_grpc.ModelStatusServiceStub(channel)
    told = stub.ListModelStates(model_status_pb2.ListModelStatesRequest(), timeout=TIMEOUT_S)
    assert {"jury", "judge", "aggregator"} <= {replica.service for replica in told.replicas}
    (found,) = [
        each
        for replica in told.replicas
        if replica.service == "jury"
        for each in replica.models
        if each.model == model_name
    ]
    return found


def fails(gateway, ensemble):
    return failure(lambda: gateway.Ask(request(ensemble), timeout=TIMEOUT_S))


@pytest.fixture(scope="module", autouse=True)
def opened_at(gateway, provider):
    """When the breakers of `back` opened: they are left alone while the other tests run."""
    for turn in turns():
        provider.set(f"back-m-{turn}", Mode(status=500))
        for _ in range(4):
            fails(gateway, f"back-{turn}")
    return time.monotonic()


def test_opens_probes_and_closes(row, gateway, channel, provider):
    name, ensemble = f"flapping-m-{row.turn}", f"flapping-{row.turn}"
    provider.set(name, Mode(status=500))
    for _ in range(4):
        fails(gateway, ensemble)
    assert (OPEN, 1) == (state(channel, name).breaker, state(channel, name).opens)

    provider.reset()
    began = time.monotonic()
    fails(gateway, ensemble)
    assert 0 == provider.seen().arrivals.get(name, 0)
    row.at_most("R12", "an open breaker refuses after", time.monotonic() - began, 0.05, unit="s")

    provider.set(name, Mode(kind="hang"))
    time.sleep(OPEN_S)
    calls = [gateway.Ask.future(request(ensemble), timeout=1.0) for _ in range(6)]
    for call in calls:
        call.exception()
    row.at_most("R12", "probes at once", provider.seen().arrivals[name], 1, ideal=1)

    provider.set(name, Mode())
    until = time.monotonic() + 8 * OPEN_S
    while state(channel, name).breaker != CLOSED:
        assert time.monotonic() < until
        gateway.Ask.future(request(ensemble), timeout=TIMEOUT_S).exception()
        time.sleep(0.05)
    assert "4" == gateway.Ask(request(ensemble), timeout=TIMEOUT_S).answer.text


def test_a_flapping_model_opens_it(row, gateway, channel, provider):
    name, ensemble = f"left-m-{row.turn}", f"left-{row.turn}"
    provider.set(name, Mode(flaps=(1, 1)))
    for _ in range(6):
        gateway.Ask.future(request(ensemble), timeout=TIMEOUT_S).exception()

    assert 1 == state(channel, name).opens


def test_what_callers_do_to_themselves_does_not_count(row, gateway, channel, provider):
    name, ensemble = f"refusing-m-{row.turn}", f"refusing-{row.turn}"
    provider.set(name, Mode(status=400))
    for _ in range(8):
        fails(gateway, ensemble)
    provider.set(name, Mode(kind="hang"))
    for _ in range(8):
        call = gateway.Ask.future(request(ensemble), timeout=TIMEOUT_S)
        provider.until(lambda seen: seen.running.get(name) == 1)
        call.cancel()
        provider.until(lambda seen: not seen.running.get(name))

    told = state(channel, name)
    row.at_most("R12", "failures counted of cancelled and wrong calls", told.recent_failures, 0)
    assert (CLOSED, 0, 0) == (told.breaker, told.opens, told.in_flight)


def test_a_model_is_asked_again_that_the_gateway_knew_to_be_left_alone(
    row, gateway, channel, provider, opened_at
):
    name, ensemble = f"back-m-{row.turn}", f"back-{row.turn}"
    time.sleep(max(0.0, opened_at + EVERY_S + 1.0 - time.monotonic()))
    told = state(channel, name)
    assert (OPEN, 0.0) == (told.breaker, duration_from_wire(told.probe_in))

    provider.set(name, Mode())
    assert "4" == gateway.Ask(request(ensemble), timeout=TIMEOUT_S).answer.text
    assert CLOSED == state(channel, name).breaker


def test_an_open_breaker_is_shown_by_the_command_and_in_the_metrics(
    row, mesh, gateway, meters, provider
):
    name, ensemble = f"shown-m-{row.turn}", f"shown-{row.turn}"
    provider.set(name, Mode(status=500))
    for _ in range(4):
        fails(gateway, ensemble)

    meters.until_model(figures.BREAKER_STATE.name, name, LEVELS[State.OPEN])
    assert ("BREAKER_STATE_OPEN", 1) == shown(mesh, name)
    assert ("BREAKER_STATE_CLOSED", 0) == shown(mesh, "a")
    meters.until_model(figures.BREAKER_OPENS.name, name, 1)
    assert 0 == meters.newest[figures.BREAKER_STATE.name, "a"]


def shown(mesh, model_name):
    """State of a jury's model, and how often it opened, as `gremium models` tells it."""
    told = models_told(mesh)
    assert [] == told["missing"]
    (jury_told,) = [each for each in told["replicas"] if each["service"] == "jury"]
    (own,) = [each for each in jury_told["models"] if each["model"] == model_name]
    return own["breaker"], int(own["opens"])


def test_the_answering_model_is_told_as_closed(gateway, channel):
    reply = gateway.Ask(request(), timeout=TIMEOUT_S)

    assert {"ANSWERED"} == {end for end, _ in ends(reply.manifest).values()}
    assert (CLOSED, 0) == (state(channel, "a").breaker, state(channel, "a").recent_failures)
