"""R9: a dead dependency gets about one call a request, a leaf never more than three."""

import time

import grpc
import pytest

from tests.fault.five import failure, jury, manifest_of, model, request
from tests.fault.stubs import Mode

TIMEOUT_S = 4.0
LATE_S = 3.0
REQUESTS = 30
MANY = 200
EAGER = {"max_attempts": 3, "budget_floor_per_s": 100.0}
PATIENT = {"max_wait_s": 60.0, "budget_floor_per_s": 100.0}
NEVER_OPEN = {"window": 1000, "min_calls": 1000}
BUDGET = 0.2
"""Retries a call that a budget allows by default."""
SCRIPT = {
    "later-500": Mode(status=500, headers={"Retry-After": "30"}),
    "dead": Mode(status=500),
    "limited": Mode(status=500),
    "leaf": Mode(status=500),
}


def shared_juries(places):
    """A jury whose third juror is dead, and jurors that fail however often they are asked."""
    url = places.url
    four, open_eyed = model("four", url), {"breaker": NEVER_OPEN}
    dead = {"500": model("dead", url), "refused": model("four", places.nowhere)}
    leaf = model("leaf", url, retry=EAGER, **open_eyed)
    late = model("later-500", url, retry=PATIENT, **open_eyed)
    return [
        *(
            jury({"a": four, "b": four, "dead": dead[kind]}, f"dead-{kind}", quorum=2)
            for kind in dead
        ),
        jury({"leaf": leaf}, "leaf"),
        jury({"limited": model("limited", url, **open_eyed)}, "budget"),
        jury({"late": late}, "later"),
    ]


@pytest.mark.parametrize("kind", ["500", "refused"])
def test_a_dead_juror_gets_about_one_call_a_request_and_soon_fewer(row, gateway, provider, kind):
    provider.reset()
    replies = [
        gateway.Ask(request(f"dead-{kind}-{row.turn}"), timeout=TIMEOUT_S) for _ in range(REQUESTS)
    ]

    assert {"4"} == {reply.answer.text for reply in replies}
    calls = sum(calls_of("dead", reply.manifest) for reply in replies)
    assert provider.seen().arrivals.get("dead", calls) == calls
    assert 0 < calls < REQUESTS / 2  # its breaker opened
    row.at_most("R9", f"calls a request of a dead model ({kind})", calls / REQUESTS, 1.1, ideal=1.0)


def calls_of(juror, manifest):
    """How often a juror was called, also when nothing listened; not at all once the router knows."""
    parts = [each for each in manifest.participations if each.name == juror]
    objections = [each for one in manifest.route.candidates for each in one.objections]
    assert parts or juror in {each.juror for each in objections}
    return sum(max(part.model_calls, len(part.attempts)) for part in parts)


def test_retries_are_a_fifth_of_the_calls_even_when_nothing_opens(row, gateway, provider):
    provider.reset()
    requests = MANY if row.tight else REQUESTS
    for _ in range(requests):
        failure(lambda: gateway.Ask(request(f"budget-{row.turn}"), timeout=TIMEOUT_S))

    each = provider.seen().arrivals["limited"] / requests
    row.at_most("R9", "arrivals a request without a breaker", each, 1.25, ideal=1.0 + BUDGET)


def test_a_leaf_sees_three_attempts_at_most_and_each_is_told(row, gateway, provider):
    provider.reset()
    request_id = f"leaf-{row.turn}-{time.monotonic_ns()}"
    failure(lambda: gateway.Ask(request(f"leaf-{row.turn}", request_id), timeout=TIMEOUT_S))
    (part,) = [p for p in manifest_of(gateway, request_id).participations if p.name == "leaf"]

    arrivals = provider.seen().arrivals["leaf"]
    row.at_most("R9", "attempts that a leaf sees", arrivals, 3, ideal=3)
    assert ["HTTP_STATUS"] * 3 == [attempt.reason for attempt in part.attempts]
    assert (3, 3) == (part.model_calls, arrivals)


def test_a_retry_that_does_not_fit_is_not_slept_for(row, gateway, provider):
    provider.reset()
    began = time.monotonic()
    error = failure(lambda: gateway.Ask(request(f"later-{row.turn}"), timeout=LATE_S))
    took_s = time.monotonic() - began

    assert error.code() is grpc.StatusCode.ABORTED
    assert 1 == provider.seen().arrivals["later-500"]
    row.at_most("R9", "failure told that leaves no time to try again", took_s, 0.1, unit="s")
