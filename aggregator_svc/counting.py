"""Chooses by what rule ballots are counted, and counts them."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aggregator_svc.case import Case, Known
from aggregator_svc.fieldwise import by_fields, field_vote
from aggregator_svc.log_odds import log_odds, prior_weights
from aggregator_svc.logit import Fitted, fitted_vote
from aggregator_svc.voting import Count, Floats, fallen_back, margin, plurality
from services.core.canonical import Ballot
from services.core.visible import visible_text


def count_of(case: Case, votes: Sequence[Ballot], members: Sequence[int]) -> tuple[str, Count]:
    """The name of the rule, and its count; indices are those of the votes.

    Parameters
    ----------
    votes : sequence of Ballot
        Those with a key.
    members : sequence of int
        Index of each one's answer.
    """
    if case.fitted is not None and case.method in {"auto", "plurality"}:
        return "logit", _by_fit(case, case.fitted, votes, members)
    if case.method == "log_odds":
        return _by_priors(case, votes, members)
    if case.method == "auto" and case.known is not None:
        return _by_known(case, case.known, votes, members)
    if case.method == "fieldwise":
        return _by_fields(case, votes, members)
    named = "weighted" if case.method == "weighted" else "plurality"
    return named, _plain(case, votes, members)


def _by_fit(case: Case, fitted: Fitted, votes: Sequence[Ballot], members: Sequence[int]) -> Count:
    best = members.index(fitted.best) if fitted.best in members else None
    return fitted_vote(
        [vote.key for vote in votes],
        case.weights[members],
        case.priors[members],
        [vote.mended for vote in votes],
        replace(
            fitted,
            alone=fitted.alone[members],
            abstaining=fitted.abstaining[members],
            best=best,
        ),
        forms=_forms(case, members),
        min_share=case.min_share,
        min_confidence=case.min_confidence,
    )


def _by_priors(case: Case, votes: Sequence[Ballot], members: Sequence[int]) -> tuple[str, Count]:
    """Weights by the log-odds of the priors; plurality when one is unknown.

    Who has no weight in the configuration has none here either.
    """
    if np.isnan(case.priors).any():
        return "plurality", replace(_plain(case, votes, members), fallbacks=("no_priors",))
    heard = [int(i) for i in np.flatnonzero(case.weights > 0.0)]
    weights, gated = prior_weights(case.priors, members, heard)
    case = replace(case, weights=weights, abstain_weight=1.0 if gated else case.abstain_weight)
    found = _plain(case, votes, members)
    return "log_odds", replace(found, fallbacks=("gate",) if gated else ())


def _by_known(
    case: Case, known: Known, votes: Sequence[Ballot], members: Sequence[int]
) -> tuple[str, Count]:
    """The ballot of a juror far better than the others, else a vote by what is known of all."""
    name = "log_odds" if known.by_log_odds else "plurality"
    weights, gated = case.weights, known.best in members
    if gated:
        weights = np.zeros(case.weights.size)
        weights[known.best] = 1.0
    elif known.by_log_odds:
        weights = np.where(case.weights > 0.0, log_odds(case.priors), 0.0)
    case = replace(case, weights=weights, abstain_weight=1.0 if gated else case.abstain_weight)
    found = _plain(case, votes, members)
    return name, replace(found, fallbacks=("gate",) if gated else ())


def _by_fields(case: Case, votes: Sequence[Ballot], members: Sequence[int]) -> tuple[str, Count]:
    """Field by field where no class has the share it needs; plurality elsewhere."""
    count = _plain(case, votes, members)
    if count.leader.weight <= 0.0 or (count.consensus and not count.tie):
        return "plurality", fallen_back(count, "share_reached") if count.consensus else count
    values = [json.loads(vote.value) for vote in votes]
    found = field_vote(values, ballot_weights(case, votes, members), case.priors[members])
    return "fieldwise", by_fields(count, found, min_share=case.min_share)


def _plain(case: Case, votes: Sequence[Ballot], members: Sequence[int]) -> Count:
    return plurality(
        [vote.key for vote in votes],
        ballot_weights(case, votes, members),
        case.priors[members],
        [vote.mended for vote in votes],
        forms=() if case.method == "weighted" else _forms(case, members),
        min_share=case.min_share,
    )


def _forms(case: Case, members: Sequence[int]) -> list[str]:
    """How the answers are worded."""
    return [visible_text(case.answers[i].text) for i in members]


def ballot_weights(case: Case, votes: Sequence[Ballot], members: Sequence[int]) -> Floats:
    """What each ballot counts without a fit, shape (n_votes,): those that abstain as configured."""
    own = case.weights[members]
    if case.abstain_weight == 1.0:
        return own
    abstains = [vote.key == case.abstain_key for vote in votes]
    return np.where(abstains, own * case.abstain_weight, own)


def led_by(count: Count, answer: int) -> Count:
    """The same count, led by the class of an answer, which stands for it."""
    own = next(each for each in count.classes if answer in each.members)
    leader = replace(own, representative=answer, p_correct=None)
    same = own == count.leader
    others = [each.share for each in count.classes if each is not own]
    return replace(
        count,
        classes=tuple(leader if each is own else each for each in count.classes),
        leader=leader,
        margin=margin([leader.share, *others]),
        tie=count.tie and same,
        tie_rule=count.tie_rule if same else "",
    )
