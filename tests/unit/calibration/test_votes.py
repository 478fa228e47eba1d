"""Outcomes become votes of the jurors asked for, whichever of them say that no tool is called."""

import numpy as np
import pytest

from services.calibration.outcomes import Outcome
from services.calibration.votes import Votes, design, votes_of


def outcome(name, abstain_key):
    keys, right = {"a": "none", "b": "x"}, {"a": True, "b": False}
    return Outcome(name, "main", "", keys, right, abstain_key=abstain_key)


def test_whom_a_row_does_not_name_was_not_heard():
    found = votes_of([outcome("q", "")], ["b", "c", "a"])

    assert (("b", "c", "a"), (("x", None, "none"),)) == (found.jurors, found.keys)
    assert [[False, False, True]] == found.right.tolist()
    assert [[True, False, True]] == found.heard.tolist()


def test_an_answer_that_was_none_was_heard_and_wrong():
    unusable = Outcome("q", "main", "", {"a": "x", "b": ""}, {"a": True, "b": False})

    found = votes_of([unusable, outcome("q2", "")], ["a", "b", "c"])

    assert [3 / 4, 1 / 4, 1 / 2] == found.priors.tolist()


@pytest.mark.parametrize(
    ("cut_off", "best"),
    [
        pytest.param(range(20, 40), "b", id="heard on half of the prompts"),
        pytest.param(range(2, 40), "a", id="heard twice"),
    ],
)
def test_the_best_juror_is_the_one_most_often_right_where_it_is_heard(cut_off, best):
    keys = tuple(("x", None if i in cut_off else "x") for i in range(40))
    right = np.array([[i % 4 > 0, key is not None] for i, (_, key) in enumerate(keys)])

    found = Votes(("a", "b"), keys, right)

    assert best == found.jurors[found.best]


@pytest.mark.parametrize("told", [("none", ""), ("", "none"), ("none", "none")])
def test_one_row_that_names_the_class_without_a_tool_is_enough(told):
    found = votes_of([outcome(f"q{i}", key) for i, key in enumerate(told)], ["a", "b"])

    assert "none" == found.abstain_key
    assert [True, False, True, False] == design(found).abstains.tolist()


def test_the_class_that_declines_may_be_another_in_each_row():
    rows = [
        Outcome(f"q{i}", "main", "", {"a": key, "b": "x"}, {"a": True, "b": False}, decline_key=own)
        for i, (key, own) in enumerate([("null", "null"), ("unknown", "unknown"), ("unknown", "")])
    ]

    found = votes_of(rows, ["a", "b"])

    assert (("null", "x"), ("null", "x"), ("unknown", "x")) == found.keys
    assert "null" == found.decline_key == found.only(np.array([True, False, False])).decline_key
    assert [True, False, True, False, False, False] == design(found).declines.tolist()


def test_no_rows_are_no_votes():
    assert (0, 2) == votes_of([], ["a", "b"]).right.shape
    assert not np.any(design(votes_of([], ["a", "b"])).members)
