"""The same figures by what prompts are about. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.report.figures import Figure, mean, share, weighted_share
from services.report.rows import TIERED, Request
from services.report.shadows import Shadow

SEVERAL: Final = 2
"""Domains from which on, and ballots from which on, there is something to compare."""


@dataclass(frozen=True, slots=True)
class DomainFigures:
    """How an ensemble does on the prompts of one domain."""

    name: str
    """As they were routed; empty: of none that is known."""
    n: int
    good: Figure
    """Share of the answers that feedback calls good."""
    divided: Figure
    """Share of the votes in which not all said the same."""
    divergence: Figure
    """Mean divergence of the votes, in [0, 1]."""
    usd_each: Figure
    """What a request costs, US dollars."""
    is_tiered: bool
    """Whether there are tiers to choose between, so that the rest tells something."""
    tiers: Mapping[str, int]
    """Requests by the tier that they ended in, most frequent first."""
    over: Figure
    """Share of the requests at a dearer tier that a cheaper one answers as well."""
    under: Figure
    """Share of the requests whose first tier was not enough."""


def domains_of(requests: Sequence[Request], shadows: Sequence[Shadow]) -> list[DomainFigures]:
    """Figures of each domain, the most frequent first; none where all are of one.

    Parameters
    ----------
    requests : sequence of Request
        All of one ensemble.
    shadows : sequence of Shadow
        Of the same requests, of which it is known whether they do.
    """
    by_domain: dict[str, list[Request]] = {}
    for each in requests:
        by_domain.setdefault(each.domain, []).append(each)
    if len(by_domain) < SEVERAL:
        return []
    ranked = sorted(by_domain.items(), key=lambda item: (-len(item[1]), item[0]))
    return [_domain(name, own, shadows) for name, own in ranked]


def _domain(name: str, own: Sequence[Request], shadows: Sequence[Shadow]) -> DomainFigures:
    ids = {each.request_id for each in own}
    known = [each for each in shadows if each.request_id in ids]
    told = [each.good for each in own if each.good is not None]
    several = [vote for each in own for vote in each.votes if len(vote.keys) >= SEVERAL]
    ballots = [[key for key in vote.keys.values() if key] for vote in several if not vote.prose]
    compared = [set(keys) for keys in ballots if len(keys) >= SEVERAL]
    ended = Counter(each.tiers[-1] for each in own if each.tiers)
    return DomainFigures(
        name=name,
        n=len(own),
        good=share(sum(told), len(told)),
        divided=share(sum(len(keys) > 1 for keys in compared), len(compared)),
        divergence=mean(np.array([vote.divergence for vote in several], dtype=np.float64)),
        usd_each=mean(np.array([each.usd for each in own], dtype=np.float64)),
        is_tiered=any(each.pattern in TIERED for each in own),
        tiers=dict(ended.most_common()),
        over=weighted_share(
            np.array([bool(each.enough) for each in known], dtype=bool),
            np.array([1.0 / each.propensity for each in known], dtype=np.float64),
        ),
        under=share(sum(len(each.tiers) > 1 for each in own), len(own)),
    )
