"""A jury stops as soon as its rule is met, or nothing that is out can change the outcome."""

from dataclasses import replace

import pytest

from jury_svc.leads import Fit, Poll, Vote, Voter, least_lead
from jury_svc.stopping import Rule, Terms, beta, could_decide, is_decided, may_change, statistic
from tests.unit.jury.polls import equal, poll, voters

ABSTAINS = "c"


@pytest.mark.parametrize(
    ("decided", "factor", "keys", "weights"),
    [
        pytest.param(True, 1.0, "cc", (1, 1, 1), id="two of three, as any other class"),
        pytest.param(False, 0.4, "cc", (1, 1, 1), id="two that abstain weigh less than one"),
        pytest.param(True, 1.0, "a", (1, 0.9), id="outweighed whatever comes"),
        pytest.param(False, 2.0, "a", (1, 0.9), id="to abstain would outweigh it"),
    ],
)
def test_abstaining_counts_as_the_aggregator_will_count_it(decided, factor, keys, weights):
    jury = tuple(replace(v, abstaining=(factor - 1.0) * v.weight) for v in voters(*weights))

    found = poll(keys, jury, Fit(abstain_key=ABSTAINS, plain=True))

    assert decided == is_decided(found, Terms(min_share=0.3))


def abstainers(*weights, more):
    """Voters whose ballot adds so many times their weight where it abstains."""
    return tuple(replace(voter, abstaining=more * voter.weight) for voter in voters(*weights))


PLAIN = Fit(abstain_key=ABSTAINS, plain=True)


@pytest.mark.parametrize(
    ("jury", "keys", "min_share"),
    [
        pytest.param(
            abstainers(1, 1, 1, 1, more=1.0), "aaa", 0.7, id="who is out may abstain with more"
        ),
        pytest.param(
            abstainers(*[1] * 7, more=1.0), "ccbdef", 0.58, id="who is out may join with more"
        ),
        pytest.param(
            abstainers(1, 1, 1, 0.2, 0.2, more=-0.5), "cccb", 0.8, id="who abstained counts less"
        ),
    ],
)
def test_a_share_goes_by_what_abstaining_counts(jury, keys, min_share):
    found = poll(keys, jury, PLAIN)

    assert least_lead(found) > 0.0
    assert not is_decided(found, Terms(min_share=min_share))


@pytest.mark.parametrize(
    ("score", "abstaining", "weight"),
    [
        pytest.param(1.5, 0.0, 3.0, id="by the score of its class"),
        pytest.param(0.0, 1.5, 4.0, id="by what each adds"),
    ],
)
def test_to_abstain_may_yet_outweigh_a_number(score, abstaining, weight):
    jury = (Voter("j0", weight), *(Voter(f"j{i}", 1.0, abstaining=abstaining) for i in (1, 2)))
    votes = (Vote(jury[0], "1", 1), Vote(jury[1], ABSTAINS))
    fit = Fit(abstain_key=ABSTAINS, abstain_score=score)

    assert not is_decided(Poll(votes, jury[2:], fit, tolerance=1e-6), Terms())
    assert is_decided(Poll(votes, (), fit, tolerance=1e-6), Terms())


CONFIDENT = voters(1.2, 1.2, 1.2, 1.2, 1.2)


@pytest.mark.parametrize(
    ("decided", "keys", "needed"),
    [
        pytest.param(True, "aaa", {}, id="nothing is needed"),
        pytest.param(
            False, "aaa", {"min_confidence": 0.98}, id="those who are out may add to .973"
        ),
        pytest.param(
            True, "aaaa", {"min_confidence": 0.8}, id="one against it leaves more than .8"
        ),
        pytest.param(False, "aaaa", {"min_confidence": 0.97}, id="one against it leaves .966"),
        pytest.param(True, "aaab", {"min_confidence": 0.999}, id="out of reach"),
        pytest.param(True, "aaaa", {"min_share": 0.9}, id="the share is there in any case"),
        pytest.param(False, "aaa", {"min_share": 0.9}, id="the share may be lost"),
        pytest.param(True, "aaab", {"min_share": 0.999}, id="the share is out of reach"),
    ],
)
def test_stops_where_what_the_leader_needs_is_settled(decided, keys, needed):
    assert decided == is_decided(poll(keys, CONFIDENT, Fit()), Terms(**needed))


def test_the_best_jurors_ballot_needs_no_share_but_its_confidence():
    found = poll("ab", voters(1.0, 1.0, 1.0), Fit(best="j0"))

    assert is_decided(found, Terms(min_share=0.9))
    assert not is_decided(found, Terms(min_confidence=0.5))


def test_a_guess_changes_with_everyone_who_comes_in():
    assert is_decided(equal("aaaa", 5), Terms(min_share=0.5))
    assert not is_decided(equal("aaaa", 5), Terms(min_confidence=0.5))
    assert is_decided(equal("aaaaa", 5), Terms(min_confidence=0.5))


@pytest.mark.parametrize(
    ("decided", "found"),
    [
        pytest.param(True, equal("aa", 3), id="two of three agree"),
        pytest.param(False, equal("ab", 3), id="one each"),
        pytest.param(False, equal("aa", 4), id="two left may make it even"),
        pytest.param(True, equal(["a", "a", ""], 4), id="a failure cannot vote any more"),
        pytest.param(False, equal("aabc", 5), id="a rival could draw level"),
        pytest.param(True, poll("aa", voters(2.0, 2.0, 3.0)), id="the heavy one is too light"),
        pytest.param(False, poll("aa", voters(1.0, 1.0, 3.0)), id="the heavy one decides"),
        pytest.param(
            True,
            poll("aa", voters(1.0, 1.0, 1.0, 1.0, priors=(0.9, 0.5, 0.5, 0.5))),
            id="even at best, and the prior speaks for the leader",
        ),
        pytest.param(
            False,
            poll("aa", voters(1.0, 1.0, 1.0, 1.0, priors=(0.5, 0.5, 0.5, 0.9))),
            id="even at best, and the prior may speak against it",
        ),
        pytest.param(
            False,
            poll("a", voters(1.0, 1.2, priors=(0.9, 0.5))),
            id="behind at worst, whatever the prior",
        ),
        pytest.param(
            False,
            poll(
                "ca", (*voters(1.0, 0.5), Voter("j2", 0.2, abstaining=-1.5)), Fit(abstain_key="c")
            ),
            id="an abstention may speak against abstaining",
        ),
        pytest.param(
            False, poll("a", voters(5.0, 1.0), Fit(best="j1")), id="the best juror is not in yet"
        ),
        pytest.param(
            True, poll("ab", voters(5.0, 1.0, 9.0), Fit(best="j1")), id="the best juror's stands"
        ),
    ],
)
def test_uncatchable(decided, found):
    assert decided == is_decided(found, Terms())


def test_a_lead_without_its_share_is_not_settled():
    assert is_decided(equal("aaabcd", 7), Terms())
    assert not is_decided(equal("aaabcd", 7), Terms(min_share=0.5))


@pytest.mark.parametrize(
    ("gamma", "first", "second"),
    [
        *[(g, n, 0) for g, n in ((0.85, 2), (0.90, 3), (0.95, 4), (0.98, 5))],
        *[(g, n, 1) for g, n in ((0.80, 3), (0.89, 4), (0.93, 5), (0.96, 6))],
    ],
)
def test_beta_needs_as_many_as_published(gamma, first, second):
    assert beta(first - 1, second) < gamma <= beta(first, second)


def test_beta_stops_before_it_is_certain():
    found = equal("aaaa", 9)

    assert is_decided(found, Terms(rule=Rule.BETA, gamma=0.95))
    assert may_change(found, Terms(rule=Rule.BETA))


def test_agree_counts_who_agrees_with_the_leader():
    assert not is_decided(equal("aabb", 9), Terms(rule=Rule.AGREE, agree=3))
    assert is_decided(equal("aabba", 9), Terms(rule=Rule.AGREE, agree=3))


def test_a_posterior_without_a_fit_stops_only_where_nothing_can_change():
    assert not is_decided(equal("aa", 4), Terms(rule=Rule.POSTERIOR, tau=0.1))
    assert is_decided(equal("aaa", 4), Terms(rule=Rule.POSTERIOR, tau=0.1))


def test_a_sure_posterior_stops_early():
    jury = voters(3.0, 3.0, 1.0, 1.0, 9.0)

    assert is_decided(poll("aa", jury, Fit()), Terms(rule=Rule.POSTERIOR, tau=0.95))
    assert not is_decided(poll("ab", jury, Fit()), Terms(rule=Rule.POSTERIOR, tau=0.95))


def test_a_wave_that_cannot_decide_is_known_beforehand():
    jury = voters(*[1.0] * 7)

    assert not could_decide(poll("", jury), jury[:3], Terms())
    assert could_decide(poll("", jury), jury[:4], Terms())
    assert not could_decide(poll("ab", jury), jury[2:4], Terms())


def test_the_least_lead_is_told():
    assert 1.0 == pytest.approx(least_lead(equal("aaa", 5)))
    assert -1.0 == pytest.approx(least_lead(equal("aa", 5)))
    assert statistic(equal("", 5), Terms()) is None
