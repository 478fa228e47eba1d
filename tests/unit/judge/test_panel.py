"""A panel weighs its judges; who misleads or takes part does not count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_svc.panel import Vote, panel_score, seated
from judge_svc.ranking import Comparison

FIRST, SECOND, TORN = ("one", "two"), ("two", "one"), ("one", "one")
SAID = st.sampled_from([FIRST, SECOND, TORN])


def said(**judges):
    return [Vote(name, Comparison(0, 1, *choices)) for name, choices in judges.items()]


def test_the_reliable_judge_outvotes_two_weak_ones():
    votes = said(good=FIRST, weak=SECOND, other=SECOND)

    assert panel_score(votes, {"good": 2.0, "weak": 0.5, "other": 0.5}) > 0.0


def test_a_judge_that_misleads_does_not_count():
    assert panel_score(said(bad=SECOND, good=FIRST), {"bad": -3.0, "good": 0.1}) == 1.0


@pytest.mark.parametrize("votes", [[], said(unknown=FIRST), said(bad=FIRST)])
def test_without_a_judge_that_counts_there_is_no_score(votes):
    assert panel_score(votes, {"bad": 0.0}) is None


def test_a_judge_that_contradicts_itself_says_tie():
    assert panel_score(said(torn=TORN), {"torn": 1.0}) == 0.0


@given(st.lists(SAID, min_size=1, max_size=5))
def test_exchanging_the_answers_exchanges_the_sign(choices):
    names = "abcde"[: len(choices)]
    weights = {name: i + 1.0 for i, name in enumerate(names)}
    exchange = {"one": "two", "two": "one"}
    turned = [tuple(exchange[c] for c in pair) for pair in choices]
    scores = [
        panel_score(said(**dict(zip(names, each, strict=True))), weights)
        for each in (choices, turned)
    ]

    assert scores[0] == pytest.approx(-scores[1])


def test_the_most_reliable_judge_is_asked_first():
    assert seated(["a", "b", "c", "d"], {"a": 0.5, "b": 1.0, "c": 1.0}) == ["b", "c", "a"]
