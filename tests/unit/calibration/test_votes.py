"""Outcomes become votes of the jurors asked for, whichever of them say that no tool is called."""

import numpy as np
import pytest

from services.calibration.outcomes import Outcome
from services.calibration.votes import design, votes_of


def outcome(name, abstain_key):
    keys, right = {"a": "none", "b": "x"}, {"a": True, "b": False}
    return Outcome(name, "main", "", keys, right, abstain_key=abstain_key)


def test_who_gave_no_ballot_was_not_right():
    found = votes_of([outcome("q", "")], ["b", "c", "a"])

    assert (("b", "c", "a"), (("x", "", "none"),)) == (found.jurors, found.keys)
    assert [[False, False, True]] == found.right.tolist()


@pytest.mark.parametrize("told", [("none", ""), ("", "none"), ("none", "none")])
def test_one_row_that_names_the_class_without_a_tool_is_enough(told):
    found = votes_of([outcome(f"q{i}", key) for i, key in enumerate(told)], ["a", "b"])

    assert "none" == found.abstain_key
    assert [True, False, True, False] == design(found).abstains.tolist()


def test_no_rows_are_no_votes():
    assert (0, 2) == votes_of([], ["a", "b"]).right.shape
    assert not np.any(design(votes_of([], ["a", "b"])).members)
