"""What is known of jurors beforehand weighs their ballots, and may let one stand alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.priors import ballot_weight, dominant


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_who_is_likelier_right_never_weighs_less(one, other):
    low, high = sorted((one, other))

    assert 0.0 <= ballot_weight(low) <= ballot_weight(high) <= ballot_weight(1.0) < 6.0


def test_a_juror_that_is_mostly_wrong_still_speaks_for_its_answer():
    assert ballot_weight(0.4) > 0.7
    assert 0.0 == ballot_weight(0.2) < ballot_weight(0.25)


@pytest.mark.parametrize(
    ("priors", "best"),
    [
        pytest.param([0.71, 0.5, 0.5], None, id="14 points above the mean"),
        pytest.param([0.74, 0.5, 0.5], 0, id="16 points above the mean"),
        pytest.param([0.5, 0.9, 0.9, 0.1], 1, id="of equal ones the first"),
        pytest.param([0.9], None, id="alone"),
    ],
)
def test_one_stands_alone_who_is_far_better_than_the_mean(priors, best):
    assert best == dominant(priors)
