"""Numbers that later ones may bring together let a jury stop only where that changes nothing."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jury_svc.consensus import is_settled
from jury_svc.leads import Poll, Vote, Voter, leader
from jury_svc.stopping import Rule, Terms, is_decided, statistic
from services.core.canonical import DECLINED, ballot, number_of
from services.core.closeness import alike
from services.core.prompts import OutputFormat
from tests.unit.jury.polls import FITS, GAINS, NEEDS, counted, fitted_count, voters


@pytest.mark.parametrize(("tolerance", "settled"), [(0.0, True), (1e-6, False)])
def test_a_number_between_two_others_may_yet_bring_them_together(tolerance, settled):
    jury = voters(*[1.0] * 5)
    told = [("1", 1.0), ("1", 1.0), ("1", 1.0), ("1.0000015", 1.0000015)]
    votes = tuple(Vote(voter, *each) for voter, each in zip(jury, told, strict=False))
    found = Poll(votes, jury[4:], tolerance=tolerance)

    assert settled is is_settled(found, min_share=0.9, min_confidence=0.0)


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
