"""Whether a jury is a kitchen sink: more jurors than the answers are worth. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from services.report.ballots import Ballots
from services.report.figures import FEWEST, Bools, Figure, difference, estimate, mean, share
from services.report.likeness import Errors
from services.report.recount import Recount, right_of, sufficient
from services.report.shapley import worth

NEEDED: Final = 200
"""Requests below which nobody is called dispensable."""
SAME: Final = 0.99
"""Share of requests in which one juror alone comes to the same, from which on it is enough."""
COVERED: Final = 0.9
"""Share of requests in which a juror must have been heard for that to be told of it."""
WIDE_GAP: Final = 0.20
GAP: Final = 0.10
"""Accuracy of the best juror above the mean: beyond it a plain vote tends to do harm."""
DEAD: Final = 0.002
"""Accuracy that a juror must be able to add."""
CHEAP: Final = 0.6
"""Share of the cost at which a smaller jury is as good."""
FEW_VOTES: Final = 0.3
"""Effective votes per juror below which a jury is mostly one opinion."""
FEWEST_JURORS: Final = 2

Kind = Literal["kitchen_sink", "warning", "sound", "insufficient"]


@dataclass(frozen=True, slots=True)
class Member:
    """One juror within its jury."""

    name: str
    heard: int
    """Requests to which it gave an answer."""
    accuracy: Figure
    """Where it was heard and truth is known."""
    same: Figure
    """How often it alone would have come to the same."""
    turns: Figure
    """How often the vote would come to another class without it."""
    adds: Figure
    """Accuracy with it less that without it."""
    worth: Figure
    """Its share of the jury's accuracy, by Shapley: those of all jurors add up to it. For want of
    truth, its share of how often all come to what was given."""
    carries: bool
    """Whether it is surely worth more than an equal share."""
    usd: Figure
    """What it costs a request in which it is asked."""

    @property
    def dead(self) -> bool:
        """Whether it adds nothing that can be seen, and not for being outvoted by others."""
        return self.adds.high is not None and self.adds.high < DEAD and not self.carries

    @property
    def harmful(self) -> bool:
        return self.adds.high is not None and self.adds.high < 0.0


@dataclass(frozen=True, slots=True)
class Sink:
    """What a jury is worth beside less of it."""

    kind: Kind
    reasons: tuple[str, ...]
    best: str
    """Juror that alone comes to the same most often; empty: nobody was heard often enough."""
    same: Figure
    """How often that is."""
    saved_usd: Figure
    """What the others cost in these requests, all together."""
    gap: Figure
    """Accuracy of the best juror less the mean of all."""
    plain: bool
    """Whether most votes were counted with no regard to who is stronger."""
    curve: tuple[float, ...]
    """Accuracy of the best one, two, … jurors; empty where too little is known."""
    enough: tuple[str, ...]
    """The smallest jury that is as good as any, within half a point."""
    gain: Figure
    """Its accuracy less that of all."""
    cost_share: float | None
    """What it costs, as a share of what all cost."""


def members(ballots: Ballots) -> tuple[Member, ...]:
    """Every juror's part in the vote."""
    whole = ballots.only(ballots.whole)
    known = ballots.only(ballots.whole & ballots.labelled)
    counts = _recount(whole), _recount(known)
    shares = _worth(whole, known)
    return tuple(
        _member(
            ballots,
            j,
            turns=_turns(whole, counts[0], j),
            adds=_adds(known, counts[1], j),
            shares=shares,
        )
        for j in range(len(ballots.jurors))
    )


def _recount(ballots: Ballots) -> Recount:
    return Recount(ballots.codes, _strength(ballots), ballots.weights)


def by_truth(known: Ballots) -> bool:
    """Whether truth is known of enough votes to tell what jurors are worth by it."""
    return len(known.votes) >= FEWEST


def _worth(whole: Ballots, known: Ballots) -> list[Figure]:
    told = known if by_truth(known) else whole
    if not len(told.votes):
        return [Figure(0, FEWEST)] * len(whole.jurors)
    good = told.right if by_truth(known) else told.same
    found = worth(told.codes, good, _strength(told), told.weights)
    return [mean(found[:, j]) for j in range(len(whole.jurors))]


def _carries(own: Figure, shares: Sequence[Figure]) -> bool:
    equal = sum(each.value or 0.0 for each in shares) / len(shares)
    return own.low is not None and own.low > equal


def recounted(ballots: Ballots) -> Figure:
    """How often counting the ballots again comes to what was given: whether the rest can be believed."""
    given = np.array([bool(vote.given) for vote in ballots.votes], dtype=bool)
    told = ballots.only(ballots.whole & ballots.alone & given)
    if not told.votes:
        return Figure(0, FEWEST)
    count = _recount(told)
    return share(
        int(right_of(count.winners(range(len(told.jurors))), told.same).sum()), len(told.votes)
    )


def _member(
    ballots: Ballots, j: int, *, turns: Figure, adds: Figure, shares: Sequence[Figure]
) -> Member:
    told = ballots.heard[:, j] & ballots.labelled
    known = ballots.waited_for[:, j]
    asked = np.array([ballots.jurors[j] in vote.usd for vote in ballots.votes], dtype=bool)
    return Member(
        name=ballots.jurors[j],
        heard=int(ballots.heard[:, j].sum()),
        accuracy=share(int(ballots.right[told, j].sum()), int(told.sum())),
        same=share(int(ballots.same[known, j].sum()), int(known.sum())),
        turns=turns,
        adds=adds,
        worth=shares[j],
        carries=_carries(shares[j], shares),
        usd=mean(ballots.usd[asked, j]),
    )


def _strength(ballots: Ballots) -> np.ndarray:
    """Who wins ties: whoever is most often right, else most often of the class that won."""
    found = ballots.right[ballots.labelled] if ballots.labelled.any() else ballots.same
    return np.asarray(found.mean(axis=0) if len(found) else np.zeros(len(ballots.jurors)))


def _turns(whole: Ballots, count: Recount, j: int) -> Figure:
    """How often the class changes when one juror's ballot is taken out."""
    n, others = len(whole.votes), [k for k in range(len(whole.jurors)) if k != j]
    if n == 0 or not others:
        return Figure(n, NEEDED)
    rows = np.arange(n)
    with_it, without = count.winners([*others, j]), count.winners(others)
    gone = (without < 0) & (with_it >= 0)
    changed = whole.codes[rows, with_it] != whole.codes[rows, without]
    return share(int((gone | (changed & (without >= 0))).sum()), n, needed=NEEDED)


def _adds(known: Ballots, count: Recount, j: int) -> Figure:
    others = [k for k in range(len(known.jurors)) if k != j]
    if len(known.votes) < NEEDED or not others:
        return Figure(len(known.votes), NEEDED)
    with_it = right_of(count.winners([*others, j]), known.right)
    return difference(with_it, right_of(count.winners(others), known.right), needed=NEEDED)


def sink_of(
    ballots: Ballots, known: Sequence[Member], pairs: Sequence[Errors], votes: Figure
) -> Sink:
    """Hold a jury against its best juror, its parts, and its smallest part that is as good.

    Parameters
    ----------
    ballots : Ballots
    known : sequence of Member
        Of the same jurors.
    pairs : sequence of Errors
        Of every two of them.
    votes : Figure
        Effective number of votes.
    """
    best = _best(ballots, known)
    told = ballots.only(ballots.whole & ballots.labelled)
    enough, shown = _enough(told)
    cost_share = _cost_share(ballots, enough) if enough else None
    gap = _gap(told, shown)
    found = Sink(
        kind="insufficient",
        reasons=(),
        best=known[best].name if best is not None else "",
        same=known[best].same if best is not None else Figure(len(ballots.votes), NEEDED),
        saved_usd=_saved(ballots, best),
        gap=gap,
        plain=2 * sum(vote.plain for vote in ballots.votes) >= len(ballots.votes),
        curve=tuple(float(each) for each in shown.mean(axis=0)) if enough else (),
        enough=tuple(ballots.jurors[j] for j in enough),
        gain=_gain(shown, len(enough)),
        cost_share=cost_share,
    )
    return _judged(found, known, pairs, votes)


def _best(ballots: Ballots, known: Sequence[Member]) -> int | None:
    """Who alone comes to the same most often; of equal ones the cheapest."""
    n = len(ballots.votes)
    often = [
        j
        for j, each in enumerate(known)
        if each.same.n >= max(COVERED * n, NEEDED) and each.same.value is not None
    ]
    mean_usd = [known[j].usd.value or 0.0 for j in range(len(known))]
    return min(often, key=lambda j: (-(known[j].same.value or 0.0), mean_usd[j]), default=None)


def _saved(ballots: Ballots, best: int | None) -> Figure:
    n = len(ballots.votes)
    if best is None:
        return Figure(n, NEEDED)
    return mean(ballots.usd.sum(axis=1) - ballots.usd[:, best], needed=NEEDED, times=float(n))


def _gap(told: Ballots, shown: Bools) -> Figure:
    """The best is chosen on other requests: of equal jurors one is always ahead by chance."""
    rows = np.stack([shown[:, 0], told.right.mean(axis=1)], axis=1).astype(np.float64)
    return estimate(rows, lambda means: means[:, 0] - means[:, 1], needed=NEEDED)


def _enough(told: Ballots) -> tuple[list[int], Bools]:
    if len(told.votes) < NEEDED or len(told.jurors) < FEWEST_JURORS:
        return [], told.right
    return sufficient(told.codes, told.right, told.weights)


def _gain(shown: Bools, size: int) -> Figure:
    if size == 0:
        return Figure(len(shown), NEEDED)
    return difference(shown[:, size - 1], shown[:, -1], needed=NEEDED)


def _cost_share(ballots: Ballots, enough: Sequence[int]) -> float | None:
    spent = ballots.usd.sum(axis=0)
    return float(spent[list(enough)].sum() / spent.sum()) if spent.sum() > 0.0 else None


def _judged(found: Sink, known: Sequence[Member], pairs: Sequence[Errors], votes: Figure) -> Sink:
    """The finding with its verdict: what is worst counts, and each reason is told."""
    worst, warned = list(_faults(found, known)), list(_doubts(found, known, pairs, votes))
    enough_known = not (found.same.insufficient and found.gap.insufficient)
    kind: Kind = "sound" if enough_known else "insufficient"
    kind = "kitchen_sink" if worst else "warning" if warned else kind
    return replace(found, kind=kind, reasons=(*worst, *warned))


def _faults(found: Sink, known: Sequence[Member]) -> Iterator[str]:
    if found.same.value is not None and found.same.n >= NEEDED and found.same.value >= SAME:
        yield f"{found.best} alone comes to the same in {found.same.value:.1%} of {found.same.n}"
    if found.plain and found.gap.value is not None and found.gap.value > WIDE_GAP:
        yield f"the best juror is {100 * found.gap.value:.1f} points above the mean"
    dead = [each.name for each in known if each.dead]
    if 2 * len(dead) >= len(known) and dead:
        adds = "adds" if len(dead) == 1 else "add"
        yield f"{len(dead)} of {len(known)} jurors {adds} nothing: {', '.join(dead)}"
    if found.cost_share is not None and found.cost_share <= CHEAP:
        many = len(found.enough)
        size = f"{many} of {len(known)} jurors {'is' if many == 1 else 'are'} enough"
        yield f"{size}, for {found.cost_share:.0%} of the cost"


def _doubts(
    found: Sink, known: Sequence[Member], pairs: Sequence[Errors], votes: Figure
) -> Iterator[str]:
    if found.plain and found.gap.value is not None and GAP < found.gap.value <= WIDE_GAP:
        yield f"the best juror is {100 * found.gap.value:.1f} points above the mean"
    if votes.value is not None and votes.value < FEW_VOTES * len(known):
        yield f"{len(known)} jurors are worth {votes.value:.1f} votes"
    together = sum(each.together for each in pairs)
    if together:
        yield f"the errors of {together} pair{'' if together == 1 else 's'} move together"
