"""Whether requests went to the right tier: too dear, too cheap, and what that cost. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from services.report.baselines import Choice, choices_of
from services.report.figures import (
    FEWEST,
    Figure,
    Floats,
    estimate,
    mean,
    share,
    weighted_share,
    wilson,
)
from services.report.rows import TIERED, Request
from services.report.shadows import Shadow


@dataclass(frozen=True, slots=True)
class Pair:
    """What a cheaper tier would have done of what a dearer one did."""

    used: str
    cheaper: str
    enough: Figure
    """Share of the dearer tier's requests that the cheaper one answers as well."""
    saved_usd: Figure
    """What that would have saved in the whole time, US dollars."""


@dataclass(frozen=True, slots=True)
class Step:
    """How often one tier is enough, of the requests that it is asked in."""

    tier: str
    next_tier: str
    """Tier that is mostly asked when it is not."""
    moved: Figure
    """Share of its requests in which it is not."""
    usd: Figure
    """What it costs a request, US dollars."""
    next_usd: Figure

    @property
    def in_vain(self) -> bool:
        """Whether asking the next tier at once would be cheaper, at the least that is likely."""
        if self.moved.low is None or self.usd.low is None or self.next_usd.high is None:
            return False
        return self.usd.low > (1.0 - self.moved.low) * self.next_usd.high


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was predicted of a cheaper tier, and whether it would have been enough."""

    adequacy: float
    enough: bool


@dataclass(frozen=True, slots=True)
class Routing:
    """How well an ensemble with several tiers chose."""

    n: int
    tiers: Mapping[str, int]
    """Requests by the tier that they ended in."""
    over: Figure
    """Over-provisioned: share of the requests at a dearer tier that a cheaper one answers as well."""
    saved_usd: Figure
    """US dollars that this would have saved."""
    under: Figure
    """Under-provisioned: share of the requests whose first tier was not enough."""
    in_vain_usd: Figure
    """US dollars that tiers cost which were not enough."""
    regret_usd: Figure
    """What a request costs beyond the cheapest tier that is enough, US dollars, on average."""
    changed: Figure
    """Share of the escalations after which the ballots came to something else."""
    right: Figure
    """Share of the answers that feedback calls good."""
    pairs: tuple[Pair, ...]
    choices: tuple[Choice, ...]
    """Of the pattern `route`: whether the router chose better than plain rules."""
    steps: tuple[Step, ...]
    predicted: tuple[Predicted, ...]
    """Of the shadowed requests whose cheaper tier was rated."""
    compared: Mapping[str, int]
    """Shadows by what compared them; under the empty name those that nothing did."""
    shadow_usd: float
    """What shadowing cost."""

    def adequate_from(self, target: float) -> float | None:
        """Predicted adequacy from which on cheaper tiers are enough as often as wanted.

        Tried from the highest down, at the lower end of the interval, until it
        fails for the first time: so that no lower one passes by chance. None where
        it fails at once, or holds only at `target` itself and above.
        """
        ranked = sorted(self.predicted, key=lambda each: -each.adequacy)
        reached, hits = None, 0
        for many, each in enumerate(ranked, start=1):
            hits += each.enough
            is_last = many == len(ranked) or ranked[many].adequacy < each.adequacy
            could_pass = many >= FEWEST and wilson(many, many)[0] >= target
            if is_last and could_pass:
                if wilson(hits, many)[0] < target:
                    break
                reached = each.adequacy
        return reached if reached is not None and reached < target else None

    def held_from(self, bar: float) -> Figure:
        """How often cheaper tiers were enough from a predicted adequacy on."""
        told = [each.enough for each in self.predicted if each.adequacy >= bar]
        return share(sum(told), len(told))


def routing_of(requests: Sequence[Request], shadows: Sequence[Shadow]) -> Routing | None:
    """Figures of one ensemble; None where it has no tiers to choose between.

    Parameters
    ----------
    requests : sequence of Request
        All of one ensemble.
    shadows : sequence of Shadow
        Of the same requests, one each.

    Notes
    -----
    A shadow stands for as many requests as its propensity says: shares and mean
    gains are weighted by one over it. Sums are these means times the requests of
    the tier in which a cheaper one might have been asked (Hajek's estimator).
    Where several might, it is as if one of them were drawn.
    """
    if not any(request.pattern in TIERED for request in requests):
        return None
    known = [shadow for shadow in shadows if shadow.enough is not None]
    ended = Counter(request.tiers[-1] for request in requests if request.tiers)
    moved = [request for request in requests if len(request.tiers) > 1]
    return Routing(
        n=len(requests),
        tiers=dict(ended.most_common()),
        over=_over(known),
        saved_usd=_saved(requests, known),
        under=share(len(moved), len(requests)),
        in_vain_usd=_total(requests, [request.in_vain_usd for request in requests]),
        regret_usd=_regret(requests, known),
        changed=_changed(moved),
        right=_right(requests),
        pairs=tuple(_pairs(requests, known)),
        choices=tuple(_choices(requests, known)),
        steps=tuple(_steps(requests)),
        predicted=tuple(_predicted(requests, known)),
        compared=dict(Counter(shadow.method for shadow in shadows)),
        shadow_usd=sum(shadow.spent_usd for shadow in shadows),
    )


def _choices(requests: Sequence[Request], known: Sequence[Shadow]) -> list[Choice]:
    """Of what a cascade asks, its answers decide, and not the prompt."""
    routed = {each.request_id: each for each in requests if each.pattern == "route"}
    return choices_of(list(routed.values()), [s for s in known if s.request_id in routed])


def _over(known: Sequence[Shadow]) -> Figure:
    hits = np.array([bool(shadow.enough) for shadow in known], dtype=bool)
    return weighted_share(hits, _weights(known))


def _weights(known: Sequence[Shadow]) -> Floats:
    return np.array([1.0 / shadow.propensity for shadow in known], dtype=np.float64)


def _saved(requests: Sequence[Request], known: Sequence[Shadow]) -> Figure:
    """By how many requests there are, not by the weights: some that were drawn are never asked."""
    stakes = _stakes(requests, known)
    return _told(stakes, lambda means: len(stakes) * _too_dear(means), known)


def _total(requests: Sequence[Request], usd: Sequence[float]) -> Figure:
    return mean(np.array(usd, dtype=np.float64), times=float(len(requests)))


def _regret(requests: Sequence[Request], known: Sequence[Shadow]) -> Figure:
    """Tiers in vain are known of every request, tiers too dear of those that were shadowed."""
    stakes = _stakes(requests, known)
    return _told(stakes, lambda means: means[:, 0] + _too_dear(means), known)


def _told(stakes: Floats, statistic: Callable[[Floats], Floats], known: Sequence[Shadow]) -> Figure:
    """A figure that as many shadows stand behind."""
    if len(known) < FEWEST:
        return Figure(len(known), FEWEST)
    return replace(estimate(stakes, statistic), n=len(known))


def _too_dear(means: Floats) -> Floats:
    """What the mean request could have saved: of each tier its requests times its mean gain."""
    eligible, weight, gained = means[:, 1::3], means[:, 2::3], means[:, 3::3]
    gains: Floats = np.divide(gained, weight, out=np.zeros_like(gained), where=weight > 0.0)
    total: Floats = (eligible * gains).sum(axis=1)
    return total


def _stakes(requests: Sequence[Request], known: Sequence[Shadow]) -> Floats:
    """What each request tells.

    Returns
    -------
    ndarray of float64, shape (n, 1 + 3 tiers)
        US dollars spent in vain; then for each tier that was too dear for some
        cheaper one: whether that might have been asked instead, and of a
        shadowed request its weight, and that times what would have been saved.
    """
    cheaper: dict[str, set[str]] = {}
    for shadow in known:
        cheaper.setdefault(shadow.used, set()).add(shadow.cheaper)
    by_id = {shadow.request_id: shadow for shadow in known}
    return np.array(
        [
            [
                each.in_vain_usd,
                *(n for used in sorted(cheaper) for n in _stake(each, used, cheaper[used], by_id)),
            ]
            for each in requests
        ],
        dtype=np.float64,
    ).reshape(len(requests), 1 + 3 * len(cheaper))


def _stake(
    request: Request, used: str, cheaper: Collection[str], by_id: Mapping[str, Shadow]
) -> tuple[float, float, float]:
    ended_here = request.outcome == "ANSWERED" and request.tiers[-1:] == (used,)
    eligible = ended_here and any(tier not in request.tiers for tier in cheaper)
    shadow = by_id.get(request.request_id)
    if shadow is None or shadow.used != used:
        return float(eligible), 0.0, 0.0
    weight = 1.0 / shadow.propensity
    gain = (shadow.used_usd - shadow.cheaper_usd) * bool(shadow.enough)
    return 1.0, weight, weight * gain


def _changed(moved: Sequence[Request]) -> Figure:
    """Of escalations with ballots on both sides."""
    came_to = [[vote.given for vote in each.votes if vote.given] for each in moved]
    told = [each for each in came_to if len(each) > 1]
    return share(sum(each[0] != each[-1] for each in told), len(told))


def _right(requests: Sequence[Request]) -> Figure:
    told = [request.good for request in requests if request.good is not None]
    return share(sum(told), len(told))


def _pairs(requests: Sequence[Request], known: Sequence[Shadow]) -> list[Pair]:
    found = []
    for used, cheaper in sorted({(shadow.used, shadow.cheaper) for shadow in known}):
        own = [each for each in known if (each.used, each.cheaper) == (used, cheaper)]
        found.append(Pair(used, cheaper, _over(own), _saved(requests, own)))
    return found


def _steps(requests: Sequence[Request]) -> list[Step]:
    """Of every tier that another one ever followed."""
    follows: dict[str, Counter[str]] = {}
    for before, after in (pair for each in requests for pair in pairwise(each.tiers)):
        follows.setdefault(before, Counter())[after] += 1
    return [_step(requests, tier, found) for tier, found in follows.items()]


def _step(requests: Sequence[Request], tier: str, follows: Counter[str]) -> Step:
    asked = [each for each in requests if tier in each.tiers]
    next_tier = follows.most_common(1)[0][0]
    after = [each for each in requests if next_tier in each.tiers]
    return Step(
        tier=tier,
        next_tier=next_tier,
        moved=share(follows.total(), len(asked)),
        usd=mean(np.array([each.tier_usd.get(tier, 0.0) for each in asked])),
        next_usd=mean(np.array([each.tier_usd.get(next_tier, 0.0) for each in after])),
    )


def _predicted(requests: Sequence[Request], known: Sequence[Shadow]) -> list[Predicted]:
    rated = {each.request_id: each.adequacy for each in requests}
    return [
        Predicted(rated[each.request_id][each.cheaper], bool(each.enough))
        for each in known
        if each.cheaper in rated.get(each.request_id, {})
    ]
