"""R13: a provider that hangs and a caller who floods are no trouble for the others."""

import time

import pytest

from tests.fault.bursts import quantile

pytestmark = pytest.mark.measures

QUIET_PER_S = 4.0
MARGIN = 0.2
"""How much longer the slowest of the others may take, as a share of the undisturbed run."""


def p99_s(asked):
    assert {("OK", True)} == {(each.status, each.right) for each in asked}
    return quantile([each.took_s for each in asked], 0.99)


def compared(crowded, row, what, disturb):
    """Hold what a steady caller gets beside a disturbance against what it got before."""
    seconds = crowded.wide.load_s
    steady = crowded.burst("wide", "quiet", rate=QUIET_PER_S, seconds=2 * seconds)
    steady.begun()
    time.sleep(seconds)
    began_s = time.time()
    disturbance = disturb(seconds)
    asked = steady.ended()
    before = [each for each in asked if each.at_s < began_s]
    before_s, early, late = p99_s(before), before[::2], before[1::2]
    beside_s = p99_s([each for each in asked if each.at_s >= began_s])
    row.at_most(
        "R13",
        f"p99 of the others over that before, {what}",
        beside_s / before_s,
        1.0 + MARGIN,
        ideal=1.0,
        undisturbed=p99_s(late) / p99_s(early),
    )
    return disturbance.ended()


def test_a_hung_provider_slows_no_other_ensemble(crowded, row):
    def disturb(seconds):
        return crowded.burst("hung", "same", rate=30, seconds=seconds, timeout=seconds)

    assert "OK" not in {each.status for each in compared(crowded, row, "hung provider", disturb)}


def test_a_noisy_caller_slows_no_other_caller(crowded, row):
    def disturb(seconds):
        return crowded.burst("wide", "noisy", rate=5 * crowded.wide.per_s, seconds=seconds)

    asked = compared(crowded, row, "noisy caller", disturb)
    assert {"OK", "RESOURCE_EXHAUSTED"} == {each.status for each in asked}
