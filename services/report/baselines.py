"""Whether a router chooses better than plain rules would at the same price. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from services.report.figures import FEWEST, Figure, Floats, Sample
from services.report.ordering import areas
from services.report.rows import Request
from services.report.rules import RULES, Begun, Means, RuleName, right, sums_of, usd
from services.report.shadows import Shadow

GOOD: Final = 0.5
"""Quality from which on an answer counts as right."""
BALLOTS: Final = "ballots"
"""How answers were compared that are the same or not, with no word of which one is better."""
OPEN: Final = (0.5, 0.0, 1.0)
"""How often the cheaper tier may be right where it differs from a wrong answer: what is told goes by
the first, and its interval by all of them."""
TOLD: Final = 0.9
"""Share of the requests whose length must be known for a rule to go by it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What would have come of choosing the tier by a rule."""

    name: RuleName
    """As `RULES` has it."""
    right: Figure
    """Share of the requests with a right answer."""
    usd: Figure
    """What a request costs, US dollars."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How well requests were parted between two tiers."""

    cheaper: str
    dearer: str
    n: int
    """Requests that began at either, and of which it is known how good both answers are, or of those
    that the cheaper one answered, how good that is."""
    supposed: float
    """Share of them whose dearer answer is not known. It is supposed to be right as often as among
    those that tell both, where the cheaper one is as right, or as wrong."""
    rules: tuple[Rule, ...]
    over_chance: Figure
    """Share of the requests that the router has right beyond chance at the same price."""
    over_length: Figure
    """The same beyond the longest prompts at the dearer tier."""
    order: Figure
    """How well the predicted adequacy tells whether the cheaper tier is right: area under the ROC
    curve; 0.5 is chance."""
    order_by_length: Figure
    """The same of how short the prompt is."""
    order_gain: Figure
    """The first less the second."""


def choices_of(requests: Sequence[Request], shadows: Sequence[Shadow]) -> list[Choice]:
    """Of every two tiers that shadows compare.

    Parameters
    ----------
    requests : sequence of Request
        All of one ensemble of the pattern `route`.
    shadows : sequence of Shadow
        Of the same requests, one each, of which it is known whether they do.
    """
    pairs = sorted({(each.cheaper, each.used) for each in shadows})
    return [_choice(_begun(requests, shadows, *pair), *pair) for pair in pairs]


def _begun(
    requests: Sequence[Request], shadows: Sequence[Shadow], cheaper: str, dearer: str
) -> list[Begun]:
    """Those that tell something; each kind stands for all requests that went the same way."""
    by_id = {s.request_id: s for s in shadows if (s.cheaper, s.used) == (cheaper, dearer)}
    ways: dict[tuple[str, ...], list[Request]] = {}
    for each in requests:
        if each.outcome == "ANSWERED" and each.tiers:
            ways.setdefault(each.tiers, []).append(each)
    found: list[Begun] = []
    for way, gone in ways.items():
        judged = [each for each in gone if each.quality is not None]
        if way == (dearer,):
            asked = [(each, by_id[each.request_id]) for each in judged if each.request_id in by_id]
            total = sum(1.0 / shadow.propensity for _, shadow in asked)
            found += [_shadowed(each, s, len(gone) / total / s.propensity) for each, s in asked]
        elif way == (cheaper,):
            found += [_cheap(each, cheaper, len(gone) / len(judged)) for each in judged]
        elif way == (cheaper, dearer):
            found += [_moved(each, way, len(gone) / len(judged)) for each in judged]
    return found


def _shadowed(request: Request, shadow: Shadow, weight: float) -> Begun:
    right = _is_right(request)
    usd = request.tier_usd.get(shadow.used, 0.0)
    enough = bool(shadow.enough) and right
    return Begun(
        kind="dearer",
        weight=weight,
        cheaper_right=enough,
        dearer_right=right,
        cheaper_usd=max(0.0, usd - shadow.used_usd + shadow.cheaper_usd),
        dearer_usd=usd,
        is_enough=enough,
        is_open=shadow.enough is False and shadow.method == BALLOTS and not right,
        adequacy=request.adequacy.get(shadow.cheaper),
        tokens=shadow.tokens,
    )


def _cheap(request: Request, tier: str, weight: float) -> Begun:
    right = _is_right(request)
    return Begun(
        kind="cheaper",
        weight=weight,
        cheaper_right=right,
        dearer_right=False,
        cheaper_usd=request.tier_usd.get(tier, 0.0),
        dearer_usd=0.0,
        is_enough=right,
        is_open=False,
        adequacy=request.adequacy.get(tier),
        tokens=request.tokens.get(tier, 0),
    )


def _moved(request: Request, way: tuple[str, ...], weight: float) -> Begun:
    cheaper, dearer = way
    right = _is_right(request)
    return Begun(
        kind="both",
        weight=weight,
        cheaper_right=right,
        dearer_right=right,
        cheaper_usd=sum(request.tier_usd.values()),
        dearer_usd=request.tier_usd.get(dearer, 0.0),
        is_enough=False,
        is_open=False,
        adequacy=request.adequacy.get(cheaper),
        tokens=request.tokens.get(cheaper, 0),
    )


def _is_right(request: Request) -> bool:
    return request.quality is not None and request.quality >= GOOD


def _choice(begun: Sequence[Begun], cheaper: str, dearer: str) -> Choice:
    told = _Told(begun)
    by_length = _lengths_known(begun)
    order = _orders(begun, by_length=by_length)
    return Choice(
        cheaper=cheaper,
        dearer=dearer,
        n=len(begun),
        supposed=_supposed(begun),
        rules=tuple(told.rule(name) for name in RULES if by_length or name != "length"),
        over_chance=told.over("chance"),
        over_length=told.over("length") if by_length else Figure(0, FEWEST),
        order=order[0],
        order_by_length=order[1],
        order_gain=order[2],
    )


class _Told:
    """Figures of the same requests, which are drawn anew together."""

    def __init__(self, begun: Sequence[Begun]) -> None:
        at_dearer = sum(each.kind == "dearer" for each in begun)
        self._fewer = min(at_dearer, len(begun) - at_dearer)
        sums = [sums_of(begun, p_open) for p_open in OPEN]
        self._names = list(sums[0])
        self._samples = [Sample(np.stack(list(each.values()), axis=1)) for each in sums]

    def rule(self, name: RuleName) -> Rule:
        """What would have come of it."""
        return Rule(name, self.of(partial(right, rule=name)), self.of(partial(usd, rule=name)))

    def over(self, rule: RuleName) -> Figure:
        """How much more often the router is right."""
        return self.of(lambda means: right(means, "router") - right(means, rule))

    def of(self, statistic: Callable[[Means], Floats]) -> Figure:
        """A function of the sums; not told where hardly any request went one of the ways."""
        if self._fewer < FEWEST:
            return Figure(self._fewer, FEWEST)
        return _widest(
            sample.figure(lambda means: statistic(dict(zip(self._names, means.T, strict=True))))
            for sample in self._samples
        )


def _widest(figures: Iterable[Figure]) -> Figure:
    """The first, with an interval that holds those of all."""
    first, *others = figures
    ends = [(each.low, each.high) for each in (first, *others)]
    lows, highs = ([end for end in side if end is not None] for side in zip(*ends, strict=True))
    return replace(first, low=min(lows), high=max(highs)) if len(lows) == len(ends) else first


def _supposed(begun: Sequence[Begun]) -> float:
    total = sum(each.weight for each in begun)
    return sum(each.weight for each in begun if each.kind == "cheaper") / total if total else 0.0


def _lengths_known(begun: Sequence[Begun]) -> bool:
    return sum(each.tokens > 0 for each in begun) >= TOLD * max(len(begun), 1)


def _orders(begun: Sequence[Begun], *, by_length: bool) -> tuple[Figure, Figure, Figure]:
    """Of the prediction, of shortness, and the first less the second."""
    told = [_areas(begun, p_open) for p_open in OPEN]
    order, of_length, gain = (_widest(each) for each in zip(*told, strict=True))
    unknown = Figure(0, FEWEST)
    return (order, of_length, gain) if by_length else (order, unknown, unknown)


def _areas(begun: Sequence[Begun], p_open: float) -> tuple[Figure, Figure, Figure]:
    """Where nobody knows whether the cheaper tier is right, both may be, each in part."""
    rows = [
        (each.adequacy, -each.tokens, good, part * each.weight)
        for each in begun
        if each.adequacy is not None
        for good, part in _marks(each, p_open)
    ]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 4)
    return areas((table[:, 0], table[:, 1]), table[:, 2] > 0.0, table[:, 3])


def _marks(begun: Begun, p_open: float) -> list[tuple[bool, float]]:
    marks = [(True, p_open), (False, 1.0 - p_open)] if begun.is_open else [(begun.is_enough, 1.0)]
    return [(good, part) for good, part in marks if part > 0.0]
