"""Numbers and negation are seen in the words."""

import pytest

from services.core.words import negations, numerals


def test_numerals_are_the_different_numbers():
    assert {"3", "42"} == numerals("42, or 42.0, after 3")


def test_marks_of_a_list_are_no_numerals():
    assert set() == numerals("1. first\n2) second\n")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It is safe", 0),
        ("It is not safe", 1),
        ("It isn\u2019t safe", 1),
        ("Das ist nicht sicher", 1),
        ("这不安全", 1),
        ("cannot, never", 2),
        ("another notion", 0),
    ],
)
def test_counts_negations(text, count):
    assert count == negations(text)
