"""All figures of a report, ensemble by ensemble. Pure: rows in, figures out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from services.report.agreement import cohen_kappa, disagreement, krippendorff_alpha
from services.report.ballots import Ballots, ballots_of
from services.report.domains import DomainFigures, domains_of
from services.report.figures import Figure, mean, share
from services.report.judging import Judging, judging_of
from services.report.likeness import Errors, effective_votes, mean_correlation, pair_errors
from services.report.routing import Routing, routing_of
from services.report.rows import Request, Vote
from services.report.shadows import Shadow
from services.report.sink import Member, Sink, by_truth, members, recounted, sink_of

JURORS: Final = 2
"""Jurors from which on there is something to compare."""
Seats = Mapping[str, Mapping[str, frozenset[str]]]
"""By ensemble and tier, which is empty in the pattern `jury`: labels of jurors."""
NOBODY: Final[Seats] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PairFigures:
    """How two jurors go together."""

    first: str
    second: str
    disagreement: Figure
    """Share of the prompts on which their ballots differ, of those on which both gave one."""
    kappa: Figure
    errors: Errors


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """How jurors that vote together do."""

    name: str
    """The ensemble, or `ensemble/tier` where it has several."""
    ensemble: str
    tier: str
    """Empty in the pattern `jury`."""
    jurors: tuple[str, ...]
    n: int
    """Votes."""
    labelled: int
    """Votes of which it is known who was right."""
    whole: int
    """Votes in which nobody was cut off."""
    gone: tuple[str, ...]
    """Jurors that were asked in this time, and have no seat any more; nothing is told of them."""
    recount: Figure
    """Share of the votes in which counting the ballots again comes to what was given: what smaller
    juries would have come to is told by the same rule."""
    worth_by: Literal["truth", "outcome"]
    """What jurors are worth is told by how often the jury is right, or for want of that by how often
    it comes to what was given."""
    prose: int
    """Votes compared by meaning, which have no ballots; pairs tell nothing of them."""
    divided: Figure
    """Share of the votes in which not all said the same."""
    divergence: Figure
    """Mean divergence, in [0, 1]."""
    no_consensus: Figure
    alpha: Figure
    """Krippendorff's, of the panel."""
    correlation: Figure
    """Mean correlation of errors."""
    votes: Figure
    """Independent votes that the jury is worth."""
    members: tuple[Member, ...]
    pairs: tuple[PairFigures, ...]
    sink: Sink


@dataclass(frozen=True, slots=True)
class EnsembleFigures:
    """How one ensemble does."""

    name: str
    pattern: str
    n: int
    outcomes: Mapping[str, int]
    """Requests by how they ended, most frequent first."""
    degraded: Figure
    unjudged: Figure
    good: Figure
    """Share of the answers that feedback calls good."""
    usd: float
    """All that it spent."""
    usd_each: Figure
    """What a request costs."""
    seconds: tuple[float, float]
    """Median and 95th percentile of the time that a request took."""
    pools: tuple[PoolFigures, ...]
    routing: Routing | None
    judging: Judging | None
    domains: tuple[DomainFigures, ...]
    """By what prompts are about; empty where all are of one domain, or none is known."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was measured."""

    since_s: float | None
    """Seconds since 1970 from which on requests count; None: all."""
    first_s: float
    last_s: float
    """When the first and the last of them began."""
    n: int
    usd: float
    ensembles: tuple[EnsembleFigures, ...]


def summarised(
    requests: Iterable[Request],
    shadows: Iterable[Shadow],
    *,
    since_s: float | None = None,
    seats: Seats = NOBODY,
) -> Report:
    """Every figure of every ensemble, by name.

    Parameters
    ----------
    requests : iterable of Request
        Those that have ended.
    shadows : iterable of Shadow
        Of the same time.
    seats : mapping of str to mapping of str to frozenset of str
        By ensemble and tier: jurors that it has now, of whom juries are told. Of
        what is not named, all who were asked.
    """
    rows = list(requests)
    asides = list(shadows)
    names = sorted({row.ensemble for row in rows})
    starts = [row.start_s for row in rows]
    return Report(
        since_s=since_s,
        first_s=min(starts, default=0.0),
        last_s=max(starts, default=0.0),
        n=len(rows),
        usd=sum(row.usd for row in rows),
        ensembles=tuple(
            _ensemble(
                [row for row in rows if row.ensemble == name],
                [shadow for shadow in asides if shadow.ensemble == name],
                seats.get(name, {}),
            )
            for name in names
        ),
    )


def _ensemble(
    rows: Sequence[Request], shadows: Sequence[Shadow], seats: Mapping[str, frozenset[str]]
) -> EnsembleFigures:
    seconds = np.quantile([row.duration_s for row in rows], [0.5, 0.95])
    told = [row.good for row in rows if row.good is not None]
    return EnsembleFigures(
        name=rows[0].ensemble,
        pattern=rows[-1].pattern,
        n=len(rows),
        outcomes=dict(Counter(row.outcome for row in rows).most_common()),
        degraded=share(sum(row.degraded for row in rows), len(rows)),
        unjudged=share(sum(row.unjudged for row in rows), len(rows)),
        good=share(sum(told), len(told)),
        usd=sum(row.usd for row in rows),
        usd_each=mean(np.array([row.usd for row in rows])),
        seconds=(float(seconds[0]), float(seconds[1])),
        pools=tuple(_pools(rows, seats)),
        routing=routing_of(rows, shadows),
        judging=judging_of(rows),
        domains=tuple(domains_of(rows, [each for each in shadows if each.enough is not None])),
    )


def _pools(rows: Sequence[Request], seats: Mapping[str, frozenset[str]]) -> list[PoolFigures]:
    """Of every tier that had several jurors at least once."""
    by_tier: dict[str, list[Vote]] = {}
    for vote in (vote for row in rows for vote in row.votes):
        by_tier.setdefault(vote.tier, []).append(vote)
    found = {tier: ballots_of(votes, seated=seats.get(tier, ())) for tier, votes in by_tier.items()}
    return [
        pool_figures(ballots, ensemble=rows[0].ensemble, tier=tier)
        for tier, ballots in sorted(found.items())
        if len(ballots.jurors) >= JURORS
    ]


def pool_figures(ballots: Ballots, *, ensemble: str, tier: str = "") -> PoolFigures:
    """Divergence, likeness and worth of jurors that vote together."""
    counted = ballots.only(np.array([not vote.prose for vote in ballots.votes], dtype=bool))
    pairs = tuple(_pairs(counted))
    told = counted.heard.all(axis=1) & counted.labelled
    correlation = mean_correlation(counted.right[told])
    votes = effective_votes(correlation, len(ballots.jurors))
    known = members(counted)
    n = len(ballots.votes)
    return PoolFigures(
        name=f"{ensemble}/{tier}" if tier else ensemble,
        ensemble=ensemble,
        tier=tier,
        jurors=ballots.jurors,
        n=n,
        labelled=int(counted.labelled.sum()),
        whole=int(ballots.whole.sum()),
        gone=_gone(ballots),
        recount=recounted(counted),
        worth_by="truth" if by_truth(counted.only(counted.whole & counted.labelled)) else "outcome",
        prose=n - len(counted.votes),
        divided=_divided(counted),
        divergence=mean(np.array([vote.divergence for vote in ballots.votes])),
        no_consensus=share(sum(not vote.given for vote in ballots.votes), n),
        alpha=krippendorff_alpha(counted.codes),
        correlation=correlation,
        votes=votes,
        members=known,
        pairs=pairs,
        sink=sink_of(counted, known, [pair.errors for pair in pairs], votes),
    )


def _gone(ballots: Ballots) -> tuple[str, ...]:
    asked = {juror for vote in ballots.votes for juror in (*vote.usd, *vote.keys)}
    return tuple(sorted(asked.difference(ballots.jurors)))


def _divided(ballots: Ballots) -> Figure:
    """Over prompts with two ballots or more."""
    cast = ballots.codes >= 0
    several = ballots.codes[cast.sum(axis=1) >= JURORS]
    largest = several.max(axis=1, keepdims=True)
    split = ((several >= 0) & (several != largest)).any(axis=1)
    return share(int(split.sum()), len(several))


def _pairs(ballots: Ballots) -> list[PairFigures]:
    return [pair_figures(ballots, i, j) for i, j in combinations(range(len(ballots.jurors)), 2)]


def pair_figures(ballots: Ballots, i: int, j: int) -> PairFigures:
    """How the ith and the jth juror go together."""
    codes = ballots.codes
    both = ballots.heard[:, i] & ballots.heard[:, j] & ballots.labelled
    return PairFigures(
        first=ballots.jurors[i],
        second=ballots.jurors[j],
        disagreement=share(*disagreement(codes[:, i], codes[:, j])),
        kappa=cohen_kappa(codes[:, i], codes[:, j]),
        errors=pair_errors(
            (ballots.right[both, i], ballots.right[both, j]),
            (codes[both, i], codes[both, j]),
            classes=ballots.classes,
        ),
    )
