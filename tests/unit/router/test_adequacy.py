"""Predicted adequacy falls with complexity, rises with priors, and admits that it guesses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_svc.adequacy import interval, juror_adequacy, tier_adequacy

PROBABILITIES = st.floats(0.0, 1.0)


def predicted(prior, *, complexity=0.25, specialist=False):
    return juror_adequacy(prior, complexity=complexity, specialist=specialist)


def test_an_average_prompt_keeps_the_prior():
    assert predicted(0.7) == pytest.approx(0.7)


@given(PROBABILITIES, st.floats(0, 0.9))
def test_falls_with_complexity(prior, complexity):
    assert predicted(prior, complexity=complexity) > predicted(prior, complexity=complexity + 0.1)


@given(st.floats(0.0, 0.9), PROBABILITIES)
def test_rises_with_the_prior(prior, complexity):
    low, high = (
        predicted(prior, complexity=complexity),
        predicted(prior + 0.1, complexity=complexity),
    )
    assert low < high or prior + 0.1 <= 0.01 or prior >= 0.99


@given(PROBABILITIES, PROBABILITIES)
def test_a_specialist_is_better_in_its_domain(prior, complexity):
    general = predicted(prior, complexity=complexity)
    assert 0.0 < general < predicted(prior, complexity=complexity, specialist=True) < 1.0


@given(PROBABILITIES)
def test_a_juror_alone_keeps_its_adequacy(p):
    assert tier_adequacy([p]) == pytest.approx(p)


def test_three_good_jurors_beat_one_and_three_bad_ones_do_not():
    assert tier_adequacy([0.8] * 3) > 0.8
    assert tier_adequacy([0.3] * 3) < 0.3


def test_a_crowd_of_equals_is_never_certain():
    assert tier_adequacy([0.8] * 51) < 0.93


def test_a_tie_counts_half():
    assert tier_adequacy([0.9, 0.5], shared_fate=0.0) == pytest.approx(0.45 + 0.5 * 0.5)


@given(st.lists(PROBABILITIES, min_size=1, max_size=7))
def test_a_tier_is_a_probability_whatever_the_order(jurors):
    value = tier_adequacy(jurors)

    assert 0.0 <= value <= 1.0
    assert value == pytest.approx(tier_adequacy(jurors[::-1]))


def test_rejects_an_empty_tier():
    with pytest.raises(ValueError, match="must have jurors"):
        tier_adequacy([])


@given(PROBABILITIES)
def test_the_interval_holds_the_value_and_is_wide(p):
    low, high = interval(p)

    assert 0.0 <= low <= p <= high <= 1.0
    assert high - low > 0.03
