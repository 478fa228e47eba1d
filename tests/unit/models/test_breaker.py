"""A breaker opens when too much fails, probes with few calls, and closes when they succeed."""

import pytest

from services.config.care import Breaker as Policy
from services.models.breaker import Breaker, State
from tests.unit.models.clocks import Clock

OPEN_S = 5.0


def breaker(**policy):
    clock = Clock()
    return Breaker(Policy(window=10, min_calls=5, open_s=OPEN_S, **policy), clock), clock


def calls(breaker, *failed):
    for each in failed:
        assert breaker.allows()
        breaker.ended(failed=each, probe=breaker.started())


def opened(**policy):
    made, clock = breaker(**policy)
    calls(made, *[True] * 5)
    return made, clock


def test_opens_at_the_share_of_failures():
    made, _ = breaker()
    calls(made, True, True, True, True)
    assert (State.CLOSED, 4) == (made.state, made.failures)

    calls(made, True)
    assert (State.OPEN, 1, False) == (made.state, made.opens, made.allows())


def test_a_flapping_model_opens_it():
    made, _ = breaker()
    calls(made, True, False, True, False)
    assert made.state is State.CLOSED

    calls(made, True)
    assert made.state is State.OPEN


def test_stays_closed_below_the_share():
    made, _ = breaker()
    calls(made, *[False, False, True] * 20)

    assert (State.CLOSED, 0) == (made.state, made.opens)


def test_what_says_nothing_is_not_counted():
    made, _ = breaker()
    calls(made, *[None] * 50)

    assert (State.CLOSED, 0) == (made.state, made.failures)


def test_old_failures_are_forgotten():
    made, clock = breaker(window_s=60.0)
    calls(made, *[True] * 4)
    clock.pass_s(61.0)
    calls(made, True)

    assert (State.CLOSED, 1) == (made.state, made.failures)


def test_probes_with_one_call_after_a_while():
    made, clock = opened()
    clock.pass_s(OPEN_S - 0.1)
    assert (False, pytest.approx(0.1)) == (made.allows(), made.retry_after_s)

    clock.pass_s(0.2)
    assert made.allows()
    assert made.started()
    assert (State.HALF_OPEN, False) == (made.state, made.allows())


def test_closes_when_the_probe_succeeds_and_starts_afresh():
    made, clock = opened()
    clock.pass_s(OPEN_S)
    calls(made, False)

    assert (State.CLOSED, 0, 1) == (made.state, made.failures, made.opens)


def test_opens_for_twice_as_long_when_the_probe_fails():
    made, clock = opened(max_open_s=15.0)
    for expected_s in (10.0, 15.0, 15.0):
        clock.pass_s(made.retry_after_s)
        calls(made, True)
        assert (State.OPEN, expected_s) == (made.state, pytest.approx(made.retry_after_s))


def test_needs_as_many_successes_as_it_has_probes():
    made, clock = opened(probes=2)
    clock.pass_s(OPEN_S)
    first, second = made.started(), made.started()
    assert not made.allows()

    made.ended(failed=False, probe=first)
    assert made.state is State.HALF_OPEN
    made.ended(failed=False, probe=second)
    assert made.state is State.CLOSED


def test_a_stopped_probe_frees_its_place_and_decides_nothing():
    made, clock = opened()
    clock.pass_s(OPEN_S)
    made.ended(failed=None, probe=made.started())

    assert (State.HALF_OPEN, True, 0) == (made.state, made.allows(), made.probing)


def test_a_late_end_of_an_earlier_call_is_no_probe():
    made, clock = breaker()
    late = made.started()
    calls(made, *[True] * 5)
    clock.pass_s(OPEN_S)
    probe = made.started()
    made.ended(failed=False, probe=late)

    assert (State.HALF_OPEN, 1) == (made.state, made.probing)
    made.ended(failed=False, probe=probe)
    assert made.state is State.CLOSED
