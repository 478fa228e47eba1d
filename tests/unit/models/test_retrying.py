"""Retries are a share of the calls; pauses are short, random, and never what was not asked for."""

import pytest

from services.config.care import Retry
from services.models.retrying import RetryBudget, pause_s
from tests.unit.models.clocks import Clock


def budget(**policy):
    clock = Clock()
    return RetryBudget(Retry(**policy), clock), clock


def retries_for(made, calls):
    allowed = 0
    for _ in range(calls):
        made.called()
        if made.allows():
            made.retried()
            allowed += 1
    return allowed


def test_retries_are_a_fifth_of_the_calls_and_a_floor():
    made, _ = budget(budget_floor_per_s=0.5, budget_window_s=10.0)

    assert 25 == retries_for(made, 100)
    assert 25 == made.retries


def test_a_first_call_has_its_retry():
    assert 1 == retries_for(budget()[0], 1)


def test_without_a_floor_and_a_share_there_are_none():
    assert 0 == retries_for(budget(budget_floor_per_s=0.0, budget_share=0.0)[0], 100)


def test_spent_retries_fade_away():
    made, clock = budget(budget_share=0.0, budget_floor_per_s=0.1)
    made.retried()
    assert not made.allows()

    clock.pass_s(100.0)
    assert made.allows()


@pytest.mark.parametrize(
    ("attempts", "asked_s", "most_s"),
    [(1, None, 0.04), (2, None, 0.08), (1, 0.05, 0.05), (1, 0.0, 0.04)],
)
def test_a_pause_is_random_and_below_its_bound(attempts, asked_s, most_s):
    policy = Retry(max_attempts=3, backoff_s=0.04, max_wait_s=0.1)
    pauses = [pause_s(policy, attempts=attempts, asked_s=asked_s) for _ in range(200)]

    assert (asked_s or 0.0) <= min(pauses) <= max(pauses) <= most_s
    assert len(set(pauses)) > 1 or asked_s == most_s


def test_no_attempt_beyond_the_last():
    assert pause_s(Retry(max_attempts=2), attempts=2, asked_s=None) is None


def test_a_provider_that_asks_for_a_long_pause_is_not_asked_again():
    assert pause_s(Retry(), attempts=1, asked_s=47.0) is None
