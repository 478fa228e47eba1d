"""What would have come of choosing between two tiers by plain rules, at the router's price. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from services.report.figures import SEED, Bools, Floats

RuleName = Literal["router", "chance", "length", "cheaper", "dearer", "hindsight"]
RULES: Final[tuple[RuleName, ...]] = (
    "router",
    "chance",
    "length",
    "cheaper",
    "dearer",
    "hindsight",
)
"""`router`: as it was. `chance`: drawn, as many to the dearer tier as cost the same. `length`: the
longest prompts to it, as many as cost the same. `cheaper`, `dearer`: all to that tier. `hindsight`:
to the dearer one only where it is right and the cheaper one is not."""
LEAST: Final = 1e-9
"""Share of a price that is of the arithmetic."""
Means = Mapping[str, Floats]
"""Weighted sums of the requests, by name; a number for each draw."""


@dataclass(frozen=True, slots=True)
class Begun:
    """One request that began at one of two tiers."""

    kind: Literal["dearer", "cheaper", "both"]
    """Where: at the dearer one and shadowed, at the cheaper one alone, or at that and then the other."""
    weight: float
    cheaper_right: bool
    """Whether beginning at the cheaper tier has a right answer in the end."""
    dearer_right: bool
    """Meaningless where it was not asked."""
    cheaper_usd: float
    dearer_usd: float
    is_enough: bool
    """Whether the cheaper tier's own answer is right."""
    is_open: bool
    """Whether the two differ and the dearer one is wrong, so that nobody knows of the cheaper one."""
    adequacy: float | None
    """What was predicted of the cheaper tier."""
    tokens: int
    """Of the prompt, as the cheaper tier counts them; 0: unknown."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The same of all requests."""

    weight: Floats
    right_c: Floats
    right_d: Floats
    usd_c: Floats
    usd_d: Floats
    tokens: Floats
    shadowed: Bools
    known: Bools
    """Whether the dearer answer is known."""


def _columns(begun: Sequence[Begun], p_open: float) -> _Columns:
    def column(of: Callable[[Begun], float]) -> Floats:
        return np.array([of(each) for each in begun], dtype=np.float64)

    kinds = np.array([each.kind for each in begun])
    return _Columns(
        weight=column(lambda each: each.weight),
        right_c=column(lambda each: p_open if each.is_open else each.cheaper_right),
        right_d=column(lambda each: each.dearer_right),
        usd_c=column(lambda each: each.cheaper_usd),
        usd_d=column(lambda each: each.dearer_usd),
        tokens=column(lambda each: each.tokens),
        shadowed=kinds == "dearer",
        known=kinds != "cheaper",
    )


def sums_of(begun: Sequence[Begun], p_open: float) -> dict[str, Floats]:
    """What each request adds to each sum that the rules are made of.

    `_c` is of the cheaper tier first, `_d` of the dearer one. Of those that are
    `alone` the dearer answer is not known; those that are `shadowed` tell it.

    Parameters
    ----------
    p_open : float
        Probability that the cheaper tier is right where nobody knows, in [0, 1].
    """
    of = _columns(begun, p_open)
    found = _of_all(of) | _of_alone(of, ~of.known, "alone") | _of_shadowed(of)
    return found | _of_longest(of, found)


def _of_all(of: _Columns) -> dict[str, Floats]:
    needs_d = of.known & (of.right_d > of.right_c)
    return {
        "all": of.weight,
        "right_c": of.weight * of.right_c,
        "usd_c": of.weight * of.usd_c,
        "right_d": of.weight * of.right_d * of.known,
        "usd_d": of.weight * of.usd_d * of.known,
        "router_right": of.weight * np.where(of.shadowed, of.right_d, of.right_c),
        "router_usd": of.weight * np.where(of.shadowed, of.usd_d, of.usd_c),
        "best_right": of.weight * np.maximum(of.right_c, of.right_d) * of.known,
        "best_usd": of.weight * np.where(needs_d, of.usd_d, of.usd_c) * of.known,
        "alone_wrong_usd": of.weight * of.usd_c * (1.0 - of.right_c) * ~of.known,
    }


def _of_alone(of: _Columns, part: Floats | Bools, name: str) -> dict[str, Floats]:
    return {
        f"{name}_right": of.weight * part * of.right_c,
        f"{name}_wrong": of.weight * part * (1.0 - of.right_c),
        f"{name}_usd": of.weight * part * of.usd_c,
    }


def _of_shadowed(of: _Columns) -> dict[str, Floats]:
    weight = of.weight * of.shadowed
    return {
        "shadowed": weight,
        "shadowed_right": weight * of.right_c,
        "shadowed_both": weight * of.right_c * of.right_d,
        "shadowed_one": weight * (1.0 - of.right_c) * of.right_d,
        "shadowed_usd_c": weight * of.usd_c,
        "shadowed_usd_d": weight * of.usd_d,
    }


def _of_longest(of: _Columns, sums: Means) -> dict[str, Floats]:
    """Of the longest prompts at the dearer tier, as many as cost what the router did."""
    whole = {name: each.sum(keepdims=True) for name, each in sums.items()}
    dearer_usd = np.where(of.known, of.usd_d, _dearer_usd(whole, of.usd_c, np.ones_like(of.usd_c)))
    spend = float(whole["router_usd"].sum() - whole["usd_c"].sum())
    moved = longest(of.tokens, of.weight * (dearer_usd - of.usd_c), spend)
    stays = 1.0 - moved
    return {
        "long_right": of.weight * (moved * of.known * of.right_d + stays * of.right_c),
        "long_usd": of.weight * (moved * of.known * of.usd_d + stays * of.usd_c),
    } | _of_alone(of, moved * ~of.known, "long_alone")


def longest(length: Floats, usd: Floats, spend: float) -> Floats:
    """Which requests the longest are, as many as may be paid for; the last one in part.

    Equally long ones are drawn.

    Parameters
    ----------
    length : ndarray of float64, shape (n,)
    usd : ndarray of float64, shape (n,)
        What each costs more at the dearer tier.
    spend : float
        What all together may cost more.

    Examples
    --------
    >>> longest(np.array([10.0, 30.0, 20.0]), np.array([1.0, 1.0, 1.0]), 1.5).tolist()
    [0.0, 1.0, 0.5]
    """
    found = np.zeros(length.size)
    mixed = np.random.default_rng(SEED).permutation(length.size)
    order = mixed[np.argsort(-length[mixed], kind="stable")]
    paid = np.cumsum(usd[order])
    beyond = np.flatnonzero(paid > spend)
    last = int(beyond[0]) if beyond.size else length.size
    found[order[:last]] = 1.0
    if beyond.size and usd[order[last]] > 0.0:
        before = float(paid[last - 1]) if last else 0.0
        found[order[last]] = min(max((spend - before) / float(usd[order[last]]), 0.0), 1.0)
    return found


def _dearer_usd(sums: Means, usd: Floats, count: Floats) -> Floats:
    """What requests would cost at the dearer tier that cost so much at the cheaper one, or are free."""
    free = sums["shadowed_usd_c"] <= 0.0
    times = np.divide(
        sums["shadowed_usd_d"],
        sums["shadowed_usd_c"],
        out=np.zeros_like(sums["all"]),
        where=~free,
    )
    each = _part(sums["shadowed_usd_d"], sums["shadowed"], 0.0)
    return np.where(free, each * count, times * usd)


def _part(some: Floats, of: Floats, otherwise: float) -> Floats:
    return np.divide(some, of, out=np.full_like(some, otherwise), where=of > 0.0)


def _dearer_right(sums: Means, right: Floats, wrong: Floats) -> Floats:
    """How many the dearer tier has right, of those that the cheaper one has right, and wrong."""
    also = _part(sums["shadowed_both"], sums["shadowed_right"], 1.0)
    return also * right + _mended(sums, wrong)


def _mended(sums: Means, wrong: Floats) -> Floats:
    """How many the dearer tier has right of those that the cheaper one has wrong."""
    return wrong * _part(sums["shadowed_one"], sums["shadowed"] - sums["shadowed_right"], 0.0)


def right(sums: Means, rule: RuleName) -> Floats:
    """Share of the requests with a right answer."""
    dearer = sums["right_d"] + _dearer_right(sums, sums["alone_right"], sums["alone_wrong"])
    match rule:
        case "router":
            found = sums["router_right"]
        case "chance":
            found = sums["right_c"] + _drawn(sums) * (dearer - sums["right_c"])
        case "length":
            moved = _dearer_right(sums, sums["long_alone_right"], sums["long_alone_wrong"])
            found = sums["long_right"] + moved
        case "cheaper":
            found = sums["right_c"]
        case "dearer":
            found = dearer
        case "hindsight":
            moved = _mended(sums, sums["alone_wrong"])
            found = sums["best_right"] + sums["alone_right"] + moved
    return found / sums["all"]


def usd(sums: Means, rule: RuleName) -> Floats:
    """What a request costs."""
    alone = sums["alone_right"] + sums["alone_wrong"]
    dearer = sums["usd_d"] + _dearer_usd(sums, sums["alone_usd"], alone)
    match rule:
        case "router":
            found = sums["router_usd"]
        case "chance":
            found = sums["usd_c"] + _drawn(sums) * (dearer - sums["usd_c"])
        case "length":
            moved = sums["long_alone_right"] + sums["long_alone_wrong"]
            found = sums["long_usd"] + _dearer_usd(sums, sums["long_alone_usd"], moved)
        case "cheaper":
            found = sums["usd_c"]
        case "dearer":
            found = dearer
        case "hindsight":
            found = sums["best_usd"] + _best_alone_usd(sums)
    return found / sums["all"]


def _best_alone_usd(sums: Means) -> Floats:
    """Of the requests that the cheaper tier had wrong, as many move as the dearer has right."""
    mended = _mended(sums, np.ones_like(sums["all"]))
    more = _dearer_usd(sums, sums["alone_wrong_usd"], sums["alone_wrong"]) - sums["alone_wrong_usd"]
    return sums["alone_usd"] + mended * more


def _drawn(sums: Means) -> Floats:
    """Share of the requests that chance may send to the dearer tier for what the router spent.

    NaN where that is no dearer.
    """
    alone = sums["alone_right"] + sums["alone_wrong"]
    dearer = sums["usd_d"] + _dearer_usd(sums, sums["alone_usd"], alone)
    more = dearer - sums["usd_c"]
    share = _part(
        sums["router_usd"] - sums["usd_c"], np.where(more > LEAST * dearer, more, 0.0), np.nan
    )
    return np.clip(share, 0.0, 1.0)
