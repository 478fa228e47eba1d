"""Numbers count as the same only where any two of them are close."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.core.canonical import Ballot, ballot
from services.core.closeness import alike, close_groups
from services.core.prompts import OutputFormat


def number(text):
    return ballot(text, (), output_format=OutputFormat(kind="number"), tools=())


def test_numbers_within_the_tolerance_are_one_group():
    assert [0, 0, 2] == close_groups([100, 100.00005, 100.5], relative_tolerance=1e-6)


def test_a_group_is_no_chain():
    assert [0, 0, 2] == close_groups([1.0, 1.09, 1.18], relative_tolerance=0.1)


def test_long_integers_are_compared_exactly():
    assert [0, 1] == close_groups([10**400, 10**400 + 1], relative_tolerance=0.0)


@given(st.lists(st.floats(-1e9, 1e9) | st.integers(), min_size=1), st.floats(0, 0.5))
def test_any_two_of_a_group_are_close(numbers, tolerance):
    group = close_groups(numbers, relative_tolerance=tolerance)

    for i, j in zip(range(len(numbers)), group, strict=True):
        one, other = Fraction(numbers[i]), Fraction(numbers[j])
        assert abs(one - other) <= Fraction(tolerance) * max(abs(one), abs(other))


def test_close_numbers_get_the_key_of_the_least():
    votes = [number("100.00005"), Ballot("", reason="EMPTY"), number("100"), number("7")]

    found = alike(votes, relative_tolerance=1e-6)

    assert [votes[2].key, "", votes[2].key, votes[3].key] == [vote.key for vote in found]
