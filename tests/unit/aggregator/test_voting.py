"""The heaviest class leads; a tie that nothing breaks is no consensus."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator_svc.voting import fallen_back, plurality

NAN = float("nan")


def count(keys, weights=None, priors=None, *, repairs=None, min_share=0.5):
    n = len(keys)
    return plurality(
        list(keys),
        np.array(weights or [1.0] * n),
        np.array(priors or [NAN] * n),
        repairs or [0] * n,
        min_share=min_share,
    )


def test_the_most_votes_lead():
    found = count("aba")

    assert ("a", True, False) == (found.leader.key, found.consensus, found.tie)
    assert [(0, 2), (1,)] == [c.members for c in found.classes]


def test_weights_count_as_votes():
    assert "b" == count("aba", [1, 3, 1]).leader.key


def test_shares_and_margin_are_of_all_weight():
    found = count("aab", [2, 1, 1])

    assert [0.75, 0.25] == [c.share for c in found.classes]
    assert 0.5 == found.margin


def test_a_prior_breaks_a_tie():
    found = count("ab", priors=[0.6, 0.8])

    assert ("b", True, "prior", True) == (
        found.leader.key,
        found.tie,
        found.tie_rule,
        found.consensus,
    )


@pytest.mark.parametrize("priors", [None, [0.7, 0.7]])
def test_a_tie_that_no_prior_breaks_is_no_consensus(priors):
    found = count("ba", priors=priors)

    assert ("a", "key", False) == (found.leader.key, found.tie_rule, found.consensus)
    assert "2 classes lead with 50%" in found.reason_text


def test_a_leader_below_the_share_is_no_consensus():
    found = count("aabcd", min_share=0.5)

    assert "a" == found.leader.key
    assert "the leading class has 40% of the weight; 50% are needed" == found.reason_text


def test_the_likeliest_juror_represents_the_class():
    assert 1 == count("aaa", priors=[0.5, 0.9, NAN]).leader.representative


def test_of_equals_the_answer_mended_least_represents_the_class():
    assert 1 == count("aaa", repairs=[2, 0, 1]).leader.representative


def test_each_rule_that_was_fallen_back_from_stays_in_the_trail():
    assert ("no_priors", "gate") == fallen_back(
        fallen_back(count("x"), "no_priors"), "gate"
    ).fallbacks


def test_one_ballot_agrees_with_itself():
    found = count("a")

    assert (1.0, 0.0, 0.0, True) == (found.margin, found.entropy, found.divergence, found.consensus)


def test_all_different_is_full_divergence():
    found = count("abc")

    assert (1.0, pytest.approx(1.0)) == (found.divergence, found.entropy)


def test_divergence_is_the_share_of_pairs_that_differ():
    assert pytest.approx(0.5) == count("aaab").divergence


def test_without_weight_there_is_no_consensus():
    found = count("aa", [0, 0])

    assert (0.0, "the jurors who answered carry no weight") == (
        found.leader.share,
        found.reason_text,
    )


def test_rejects_nothing_to_count():
    with pytest.raises(ValueError, match="must"):
        count("")


BALLOTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, 9), st.floats(0, 1) | st.just(NAN)), min_size=1
)


@given(BALLOTS, st.randoms())
def test_the_order_of_ballots_does_not_count(ballots, random):
    shuffled = list(ballots)
    random.shuffle(shuffled)
    one, other = (count(*map(list, zip(*b, strict=True))) for b in (ballots, shuffled))

    assert (one.leader.key, one.consensus, one.tie) == (
        other.leader.key,
        other.consensus,
        other.tie,
    )


@given(BALLOTS)
def test_figures_stay_in_range(ballots):
    found = count(*map(list, zip(*ballots, strict=True)))

    assert all(0 <= x <= 1 for x in (found.margin, found.entropy, found.divergence))
    assert len(ballots) == sum(len(c.members) for c in found.classes)
