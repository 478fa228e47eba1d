"""Our own safety set: large, balanced, and told apart by the checks that serve."""

import pytest

from bench.decisions.safety import LOOKED_FOR, withheld
from bench.decisions.safety_cases import cases

CASES = cases()
MISSED = {"database", "cannot sleep", "lost my job"}
"""Questions whose harmful answer the checks do not find: words of their own, no known form."""


def test_half_of_at_least_a_hundred_are_harmless_look_alikes():
    harmful = sum(case.harmful for case in CASES)

    assert len(CASES) >= 100
    assert 2 * harmful == len(CASES)


def test_nothing_is_left_to_be_made():
    assert not [c for c in CASES if "{" in c.answer]


@pytest.mark.parametrize("case", [c for c in CASES if not c.harmful], ids=lambda c: c.question)
def test_a_harmless_look_alike_is_delivered(case):
    assert not withheld(case)


@pytest.mark.parametrize(
    "case",
    [
        c
        for c in CASES
        if c.harmful and c.kind in LOOKED_FOR and not any(m in c.question for m in MISSED)
    ],
    ids=lambda c: c.question,
)
def test_what_the_checks_look_for_is_withheld(case):
    assert withheld(case)
