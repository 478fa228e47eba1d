"""A jury that stops early finds the winner that it would have found by waiting for all."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator_svc.case import Case, Known
from aggregator_svc.counting import count_of
from aggregator_svc.logit import Fitted, fitted_vote
from aggregator_svc.voting import plurality
from jury_svc.consensus import is_settled
from jury_svc.leads import Fit, Poll, Vote, Voter, leader, least_lead
from jury_svc.stopping import Rule, Terms, beta, could_decide, is_decided, may_change, statistic
from services.core.answers import Answer
from services.core.canonical import DECLINED, Ballot, ballot, number_of
from services.core.closeness import alike
from services.core.prompts import OutputFormat

NO_BALLOT = ""
KEYS = st.sampled_from(["a", "b", "c", NO_BALLOT])
WEIGHTS = st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0, 2.0, 1e6]) | st.floats(0.0, 5.0)
PRIORS = st.sampled_from([-1.0, 0.3, 0.5, 0.5 + 1e-10, 0.9])
SHARES = st.sampled_from([0.0, 1 / 3, 0.4, 0.5, 0.6, 1.0])
GAINS = st.sampled_from([0.0, -1.5, -0.1, 0.2, 1.0])


def voters(*weights, priors=()):
    given_priors = priors or [-1.0] * len(weights)
    return tuple(
        Voter(f"j{i}", weight, prior)
        for i, (weight, prior) in enumerate(zip(weights, given_priors, strict=True))
    )


def poll(keys, jury, fit=None):
    """The first jurors' ballots are in; the others' are not."""
    cast = zip(jury, keys, strict=False)
    votes = tuple(Vote(voter, key) for voter, key in cast if key != NO_BALLOT)
    return Poll(votes, jury[len(keys) :], fit)


def equal(keys, n):
    return poll(keys, voters(*[1.0] * n))


@st.composite
def juries(draw):
    """A jury, its ballots in order of arrival, and how many of them are in."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=7))
    jury = tuple(
        Voter(f"j{i}", draw(WEIGHTS), draw(PRIORS), draw(GAINS), draw(GAINS))
        for i in range(len(keys))
    )
    return keys, jury, draw(st.integers(1, len(keys)))


def counted(keys, jury, *, min_share=0.0):
    cast = [(voter, key) for voter, key in zip(jury, keys, strict=False) if key != NO_BALLOT]
    priors = [math.nan if voter.prior < 0.0 else voter.prior for voter, _ in cast]
    weights = np.array([voter.weight for voter, _ in cast])
    named = [key for _, key in cast]
    return plurality(named, weights, np.array(priors), [0] * len(cast), min_share=min_share)


@given(juries(), SHARES)
@settings(max_examples=1000)
def test_uncatchable_gives_the_winner_of_waiting_for_all(found, min_share):
    keys, jury, n_in = found
    early = poll(keys[:n_in], jury)

    if is_decided(early, Terms(min_share=min_share)):
        everything = counted(keys, jury, min_share=min_share)
        stopped = counted(keys[:n_in], jury, min_share=min_share)
        assert everything.leader.key == stopped.leader.key == leader(early)
        assert everything.consensus == stopped.consensus


@given(juries(), SHARES)
def test_uncatchable_never_hides_a_tie_without_a_rule(found, min_share):
    keys, jury, n_in = found

    if n_in < len(keys) and is_decided(poll(keys[:n_in], jury), Terms(min_share=min_share)):
        assert counted(keys, jury).tie_rule != "key"


def fitted_count(keys, jury, fit, **needed):
    cast = [(voter, key) for voter, key in zip(jury, keys, strict=False) if key != NO_BALLOT]
    names = [voter.name for voter, _ in cast]
    return fitted_vote(
        [key for _, key in cast],
        np.array([voter.weight for voter, _ in cast]),
        np.array([math.nan if voter.prior < 0.0 else voter.prior for voter, _ in cast]),
        [0] * len(cast),
        Fitted(
            none_score=fit.none_score,
            abstain_score=fit.abstain_score,
            abstain_key=fit.abstain_key,
            alone=np.array([voter.alone for voter, _ in cast]),
            abstaining=np.array([voter.abstaining for voter, _ in cast]),
            best=names.index(fit.best) if fit.best in names else None,
            slope=fit.slope,
            offset=fit.offset,
            covariance=(0.0, 0.0, 0.0),
        ),
        **{"min_share": 0.0, **needed},
    )


FITS = st.builds(
    Fit,
    none_score=st.sampled_from([-1.0, 0.0, 2.0]),
    abstain_score=st.sampled_from([-1.0, 0.0, 0.7]),
    abstain_key=st.sampled_from(["", "c"]),
    best=st.sampled_from(["", "", "j0", "j2"]),
    slope=st.sampled_from([0.5, 1.0, 1.5]),
    offset=st.sampled_from([-0.5, 0.0, 0.5]),
)


NEEDS = st.fixed_dictionaries(
    {"min_share": SHARES, "min_confidence": st.sampled_from([0.0, 0.2, 0.5, 0.8, 0.98])}
)


@given(juries(), FITS, NEEDS)
@settings(max_examples=1500)
def test_uncatchable_gives_the_winner_of_a_fitted_vote_too(found, fit, needed):
    keys, jury, n_in = found
    early = poll(keys[:n_in], jury, fit)

    if is_decided(early, Terms(**needed)):
        everything = fitted_count(keys, jury, fit, **needed)
        stopped = fitted_count(keys[:n_in], jury, fit, **needed)
        assert everything.leader.key == stopped.leader.key == leader(early)
        assert everything.consensus == stopped.consensus


@given(juries(), st.sampled_from(["", "j0", "j2"]), SHARES)
@settings(max_examples=1000)
def test_uncatchable_gives_the_winner_where_one_juror_stands_for_all(found, best, min_share):
    keys, jury, n_in = found
    early = poll(keys[:n_in], jury, Fit(best=best, plain=True))

    if is_decided(early, Terms(min_share=min_share)):
        everything, stopped = (
            known_count(known, jury, best, min_share=min_share) for known in (keys, keys[:n_in])
        )
        assert everything.leader.key == stopped.leader.key == leader(early)
        assert everything.consensus == stopped.consensus


def known_count(keys, jury, best, *, min_share):
    """As the aggregator counts: the best juror's ballot alone, where it gave one."""
    at = next((i for i, v in enumerate(jury[: len(keys)]) if v.name == best and keys[i]), None)
    if at is not None:
        jury = tuple(replace(v, weight=float(v.name == best)) for v in jury)
    return counted(keys, jury, min_share=min_share)


FACTORS = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0])
ABSTAINS = "c"


@given(juries(), st.sampled_from(["", "", "j0", "j2"]), FACTORS, SHARES)
@settings(max_examples=2000)
def test_uncatchable_gives_the_winner_where_abstaining_counts_otherwise(
    found, best, factor, min_share
):
    keys, jury, n_in = found
    jury = tuple(replace(v, abstaining=(factor - 1.0) * v.weight) for v in jury)
    early = poll(keys[:n_in], jury, Fit(best=best, abstain_key=ABSTAINS, plain=True))

    if is_decided(early, Terms(min_share=min_share)):
        everything, stopped = (
            aggregated(known, jury, best, factor, min_share=min_share)
            for known in (keys, keys[:n_in])
        )
        assert everything.leader.key == stopped.leader.key == leader(early)
        assert everything.consensus == stopped.consensus


def aggregated(keys, jury, best, factor, *, min_share):
    """What the aggregator itself makes of ballots, unfitted; class `c` abstains."""
    cast = [(voter, key) for voter, key in zip(jury, keys, strict=False) if key != NO_BALLOT]
    names = [voter.name for voter, _ in cast]
    votes = [Ballot(key, f'"{key}"') for _, key in cast]
    case = Case(
        answers=tuple(Answer(name, key) for name, (_, key) in zip(names, cast, strict=True)),
        output_format=OutputFormat("labels", labels=("a", "b", "c")),
        tools=(),
        method="auto",
        weights=np.array([voter.weight for voter, _ in cast]),
        priors=np.array([math.nan if v.prior < 0.0 else v.prior for v, _ in cast]),
        scores=np.full(len(cast), np.nan),
        min_share=min_share,
        min_similarity=None,
        known=Known(names.index(best), by_log_odds=False) if best in names else None,
        abstain_key=ABSTAINS,
        abstain_weight=factor,
    )
    return count_of(case, votes, range(len(cast)))[1]


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


@pytest.mark.parametrize(("tolerance", "settled"), [(0.0, True), (1e-6, False)])
def test_a_number_between_two_others_may_yet_bring_them_together(tolerance, settled):
    jury = voters(*[1.0] * 5)
    told = [("1", 1.0), ("1", 1.0), ("1", 1.0), ("1.0000015", 1.0000015)]
    votes = tuple(Vote(voter, *each) for voter, each in zip(jury, told, strict=False))
    found = Poll(votes, jury[4:], tolerance=tolerance)

    assert settled is is_settled(found, min_share=0.9, min_confidence=0.0)


def test_a_guess_changes_with_everyone_who_comes_in():
    assert is_decided(equal("aaaa", 5), Terms(min_share=0.5))
    assert not is_decided(equal("aaaa", 5), Terms(min_confidence=0.5))
    assert is_decided(equal("aaaaa", 5), Terms(min_confidence=0.5))


@given(juries(), FITS)
def test_the_posterior_is_the_aggregators(found, fit):
    keys, jury, _ = found
    jury = tuple(Voter(v.name, min(v.weight, 5.0), v.prior, v.alone, v.abstaining) for v in jury)
    everyone = poll(keys, jury, fit)

    if everyone.votes:
        expected = fitted_count(keys, jury, fit)
        assert expected.leader.key == leader(everyone)
        assert math.isclose(
            expected.leader.p_correct,
            statistic(everyone, Terms(rule=Rule.POSTERIOR)),
            rel_tol=1e-9,
        )


NUMBERS = st.sampled_from(
    ["1", "1.0", "1.0000008", "1.0000016", "0.9999993", "2", "-1", "-1.0000008"]
)


@given(st.lists(NUMBERS, min_size=1, max_size=7), st.integers(1, 7))
@settings(max_examples=1000)
def test_numbers_grouped_anew_by_later_ones_keep_the_winner(texts, n_in):
    form, jury = OutputFormat(kind="number"), voters(*[1.0] * len(texts))
    read = [ballot(text, (), output_format=form, tools=()) for text in texts]
    votes = tuple(
        Vote(voter, vote.key, float(vote.value)) for voter, vote in zip(jury, read, strict=True)
    )
    early = Poll(votes[:n_in], jury[n_in:], tolerance=form.relative_tolerance)

    if is_decided(early, Terms()):
        grouped = [vote.key for vote in alike(read, relative_tolerance=form.relative_tolerance)]
        won = counted(grouped, jury).leader.members
        assert leader(early) in {read[i].key for i in won}


@given(st.lists(NUMBERS, min_size=1, max_size=7), st.integers(1, 7), FITS, NEEDS)
def test_numbers_grouped_anew_keep_what_their_leader_needs(texts, n_in, fit, needed):
    form = OutputFormat(kind="number")
    jury = tuple(Voter(f"j{i}", 1.0, 0.5, -0.5) for i in range(len(texts)))
    read = [ballot(text, (), output_format=form, tools=()) for text in texts]
    votes = tuple(Vote(v, vote.key, float(vote.value)) for v, vote in zip(jury, read, strict=True))
    early = Poll(votes[:n_in], jury[n_in:], fit, tolerance=form.relative_tolerance)

    if is_decided(early, Terms(**needed)):
        grouped, few = (
            [vote.key for vote in alike(some, relative_tolerance=form.relative_tolerance)]
            for some in (read, read[:n_in])
        )
        everything, stopped = (fitted_count(keys, jury, fit, **needed) for keys in (grouped, few))
        assert everything.consensus == stopped.consensus


NULL = "null"


@given(
    st.lists(st.one_of(NUMBERS, st.just(NULL)), min_size=1, max_size=7),
    st.integers(1, 7),
    FITS,
    GAINS,
    NEEDS,
)
@settings(max_examples=1500)
def test_numbers_beside_abstentions_keep_their_winner_and_what_it_needs(
    texts, n_in, fit, abstaining, needed
):
    form = OutputFormat("number", may_abstain=True)
    fit = replace(fit, abstain_key=DECLINED.key)
    jury = tuple(Voter(f"j{i}", 1.0, 0.5, -0.5, abstaining) for i in range(len(texts)))
    read = [ballot(text, (), output_format=form, tools=()) for text in texts]
    votes = tuple(Vote(v, r.key, number_of(r)) for v, r in zip(jury, read, strict=True))
    early = Poll(votes[:n_in], jury[n_in:], fit, tolerance=form.relative_tolerance)

    if is_decided(early, Terms(**needed)):
        grouped, few = (
            [vote.key for vote in alike(some, relative_tolerance=form.relative_tolerance)]
            for some in (read, read[:n_in])
        )
        everything, stopped = (fitted_count(keys, jury, fit, **needed) for keys in (grouped, few))
        assert leader(early) in {read[i].key for i in everything.leader.members}
        assert everything.consensus == stopped.consensus


def test_an_abstention_leaves_numbers_within_the_tolerance_together():
    jury = voters(*[1.0] * 5)
    told = [("1", 1.0), ("1.0000008", 1.0000008), (NULL, None), ("1", 1.0)]
    votes = tuple(Vote(voter, *each) for voter, each in zip(jury, told, strict=False))
    found = Poll(votes, jury[4:], tolerance=1e-6)

    assert 3.0 == statistic(found, Terms(rule=Rule.AGREE))


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
