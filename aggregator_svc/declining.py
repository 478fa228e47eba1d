"""Counts prose that declines beside prose that answers. No I/O."""

import math
from collections.abc import Sequence
from dataclasses import replace

from aggregator_svc.case import Case, Decision
from aggregator_svc.voting import TIE, Class, Count, entropy, known, margin
from services.core.canonical import DECLINED, Ballot


def declining(case: Case, ballots: Sequence[Ballot], members: Sequence[int]) -> tuple[int, ...]:
    """Which of the answers are prose that gives none."""
    if case.output_format.kind != "text":
        return ()
    return tuple(i for i in members if ballots[i].key == DECLINED.key)


def beside(case: Case, decision: Decision, declined: Sequence[int]) -> Decision:
    """A decision between answers of prose, with a class of those that decline.

    That class leads where it has more weight than all that answer: what they
    mean differs, but that there is an answer they agree on. It has no part in
    which of them stands for the rest. Its likeliest juror stands for it.
    """
    count = decision.count
    if count is None or not declined:
        return decision
    found = _counted(case, count, declined)
    return replace(decision, count=found, reason_text=found.reason_text)


def _counted(case: Case, count: Count, declined: Sequence[int]) -> Count:
    weight = float(case.weights[list(declined)].sum()) * case.abstain_weight
    answering = sum(each.weight for each in count.classes)
    own = _class(case, declined, weight, weight + answering)
    rest = [_shared(each, weight + answering) for each in count.classes]
    leads = weight > answering + TIE
    leader = own if leads else rest[count.classes.index(count.leader)]
    classes = sorted((own, *rest), key=lambda c: (-c.weight, c is not leader, c.key))
    ballots = sum(len(each.members) for each in classes)
    return replace(
        count,
        classes=tuple(classes),
        leader=leader,
        margin=margin([leader.share, *(c.share for c in classes if c is not leader)]),
        entropy=entropy([c.share for c in classes], ballots),
        divergence=_divergence(count.divergence, ballots - len(declined), ballots),
        tie=count.tie and not leads,
        tie_rule="" if leads else count.tie_rule,
        consensus=leads or count.consensus,
        reason_text="" if leads else count.reason_text,
    )


def _class(case: Case, declined: Sequence[int], weight: float, total: float) -> Class:
    best = max(declined, key=lambda i: (known(float(case.priors[i])), case.weights[i], -i))
    share = weight / total if total > 0.0 else 0.0
    return Class(DECLINED.key, tuple(declined), weight, share, best)


def _shared(found: Class, total: float) -> Class:
    return replace(found, share=found.weight / total if total > 0.0 else 0.0)


def _divergence(answering: float, n_answering: int, n: int) -> float:
    """Mean distance of all pairs: those of one that declines and one that answers are 1 apart."""
    pairs = math.comb(n_answering, 2) * answering + n_answering * (n - n_answering)
    return min(1.0, pairs / math.comb(n, 2))
