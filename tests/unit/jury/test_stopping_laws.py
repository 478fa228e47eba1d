"""Whoever votes, and however: a jury that stops early finds the winner of waiting for all."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator_svc.case import Case, Known
from aggregator_svc.counting import count_of
from jury_svc.leads import Fit, Voter, leader
from jury_svc.stopping import Rule, Terms, is_decided, statistic
from services.core.answers import Answer
from services.core.canonical import Ballot
from services.core.prompts import OutputFormat
from tests.unit.jury.polls import (
    FITS,
    NEEDS,
    NO_BALLOT,
    SHARES,
    counted,
    fitted_count,
    juries,
    poll,
)


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
