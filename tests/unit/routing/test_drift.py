"""A model that changes in a domain is noticed soon, and one that does not seldom raises an alarm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.drift import Drift, Watch, seen


def rng():
    return np.random.default_rng(0)


def told(drift, outcomes, *, predicted, domain="law", model="m"):
    """How many outcomes it takes to the first alarm; None: there is none."""
    for nth, outcome in enumerate(outcomes, start=1):
        found = drift.observe(
            domain=domain, model=model, predicted=float(predicted[nth - 1]), outcome=float(outcome)
        )
        if found is not None:
            return nth
    return None


def stream(n, *, seed, mean=0.75, bias=0.0):
    """Predictions around a mean, and outcomes that are right more often by `bias`."""
    drawn = np.random.default_rng(seed)
    predicted = drawn.beta(10.0 * mean, 10.0 * (1.0 - mean), n)
    return predicted, (drawn.random(n) < np.clip(predicted + bias, 0.0, 1.0)).astype(float)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mean", [0.2, 0.75, 0.9])
@pytest.mark.parametrize("bias", [0.0, -0.15])
def test_notices_within_300_outcomes_that_labels_flip(mean, bias, seed):
    predicted, outcomes = stream(600, seed=seed, mean=mean, bias=bias)
    drift = Drift(rng())

    assert told(drift, outcomes[:300], predicted=predicted[:300]) is None
    assert told(drift, 1.0 - outcomes[300:], predicted=predicted[300:]) is not None


@pytest.mark.parametrize("change", [-0.35, 0.2])
def test_notices_that_a_model_does_worse_or_better(change):
    predicted, outcomes = stream(400, seed=1)
    _, later = stream(400, seed=1, bias=change)
    drift = Drift(rng())
    told(drift, outcomes, predicted=predicted)

    assert told(drift, later, predicted=predicted) is not None


@pytest.mark.parametrize("bias", [0.0, -0.3, 0.2])
def test_does_not_mind_predictions_that_were_wrong_all_along(bias):
    predicted, outcomes = stream(5_000, seed=2, bias=bias)

    assert told(Drift(rng()), outcomes, predicted=predicted) is None


def test_keeps_its_bound_of_false_alarms_where_it_can_be_seen():
    """At a hundred outcomes for an alarm there are many to count: 100 are the most expected."""
    predicted, outcomes = stream(10_000, seed=3)
    drift = Drift(rng(), every=100)

    alarms = [
        drift.observe(domain="law", model="m", predicted=float(p), outcome=float(y))
        for p, y in zip(predicted, outcomes, strict=True)
    ]

    assert 20 <= sum(alarm is not None for alarm in alarms) <= 110


def test_says_which_model_in_which_domain_and_begins_anew():
    drift, alarms = Drift(rng()), []
    for outcome in [1.0] * 50 + [0.0] * 100:
        alarm = drift.observe(domain="law", model="m", predicted=0.9, outcome=outcome)
        alarms += [alarm] if alarm else []

    assert [("law", "m")] == [(alarm.domain, alarm.model) for alarm in alarms]
    assert 50 < alarms[0].n < 80


def test_each_domain_and_model_is_held_against_itself():
    drift = Drift(rng())
    right, wrong, sure = np.ones(500), np.zeros(500), np.full(500, 0.8)

    assert told(drift, right, predicted=sure, domain="law", model="a") is None
    assert told(drift, wrong, predicted=sure, domain="law", model="b") is None
    assert told(drift, wrong, predicted=sure, domain="art", model="a") is None


def test_evidence_is_the_number_of_outcomes_on_average_over_their_orders():
    """That is what bounds the false alarms, whatever was predicted and came of it."""
    drawn, strengths = np.random.default_rng(4), []
    predicted, outcomes = stream(8, seed=4, bias=-0.3)
    for _ in range(1_500):
        watch = Watch()
        for at in drawn.permutation(8):
            watch = seen(watch, predicted=predicted[at], outcome=outcomes[at], ties=drawn.random(2))
        strengths.append(watch.strength)

    assert np.mean(strengths) == pytest.approx(8.0, abs=4 * np.std(strengths) / np.sqrt(1_500))
    assert np.std(strengths) / np.sqrt(1_500) < 0.2


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40),
    st.integers(0, 100),
)
def test_a_watch_counts_every_outcome_and_leaves_the_one_before_alone(pairs, seed):
    drawn, watch = np.random.default_rng(seed), Watch()
    for predicted, outcome in pairs:
        before, n = watch, watch.n
        watch = seen(before, predicted=predicted, outcome=outcome, ties=drawn.random(2))

        assert (n, n + 1) == (before.n, watch.n)
        assert np.isfinite(watch.evidence).all()
        assert (watch.evidence >= 0.0).all()


@pytest.mark.parametrize(("predicted", "outcome"), [(1.1, 1.0), (0.5, -0.1), (np.nan, 1.0)])
def test_rejects_what_is_no_probability(predicted, outcome):
    with pytest.raises(ValueError, match="must be in"):
        seen(Watch(), predicted=predicted, outcome=outcome, ties=np.zeros(2))
