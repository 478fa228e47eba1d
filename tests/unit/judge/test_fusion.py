"""Signals become a probability and a promise; what is missing never passes."""

import math
from dataclasses import replace

import pytest

from judge_svc.fusion import Fit, Weighed, undecided, weighed
from judge_svc.grounding import Signal

FIT = Fit(
    intercept=-2.0,
    coefficients={"support": 4.0},
    threshold=0.7,
    alpha=0.1,
    delta=0.1,
    n_labels=120,
    calibration_id="c0ffee",
)
JUDGED = replace(FIT, coefficients={"support": 4.0, "judge": 2.0})


def told(**signals):
    return [Signal(name, value) for name, value in signals.items()]


def test_p_ok_is_the_logistic_sum():
    assert weighed(told(support=0.75), FIT).p_ok == pytest.approx(1 / (1 + math.exp(-1)))


@pytest.mark.parametrize(("support", "accepted"), [(0.9, True), (0.5, False)])
def test_accepts_from_the_threshold_on(support, accepted):
    found = weighed(told(support=support), FIT)

    assert [accepted, accepted] == [found.accepted, found.guarantee_holds]


@pytest.mark.parametrize("score", [{}, {"support": math.nan}, {"support": math.inf}])
def test_a_missing_score_fails_closed(score):
    found = weighed(told(**score, other=1.0), FIT)

    assert (None, ("support",), False) == (found.p_ok, found.missing, found.accepted)


def test_without_a_threshold_nothing_is_accepted():
    assert not weighed(told(support=1.0), replace(FIT, threshold=None)).accepted


@pytest.mark.parametrize(
    ("p_ok", "accepted"),
    [
        (0.9, True),
        (FIT.threshold - 1e-14, True),
        (FIT.threshold - 1e-9, False),
        (None, False),
        (math.nan, False),
    ],
)
def test_accepts_nothing_without_a_probability_of_the_threshold(p_ok, accepted):
    assert accepted is Weighed(FIT, (), p_ok, ()).accepted


def test_few_labels_promise_nothing():
    found = weighed(told(support=1.0), replace(FIT, n_labels=49))

    assert [True, False] == [found.accepted, found.guarantee_holds]


@pytest.mark.parametrize(("support", "asks"), [(0.0, False), (0.5, True), (1.0, False)])
def test_a_judge_is_asked_only_where_its_word_can_turn_the_decision(support, asks):
    assert undecided(told(support=support), JUDGED) is asks


@pytest.mark.parametrize("support", [i / 20 for i in range(21)])
@pytest.mark.parametrize("score", [0.0, 0.3, 1.0])
def test_not_asking_decides_as_asking_would(support, score):
    signals = told(support=support)
    if not undecided(signals, JUDGED):
        ends = {weighed([*signals, Signal("judge", s)], JUDGED).accepted for s in (0.0, score, 1.0)}
        assert len(ends) == 1


def test_nobody_is_asked_by_a_fit_that_does_not_weigh_a_judge():
    assert not undecided(told(support=0.5), FIT)
