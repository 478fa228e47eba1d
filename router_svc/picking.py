"""Which tier comes first, and which follow if its answer fails. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from router_svc.choice import TIE, best, cascade_order, cheapest_reaching, strong_from, utilities
from router_svc.explain import Reading, Reason
from router_svc.exploring import Draw, drawn
from router_svc.options import Option
from router_svc.profiles import Limits
from router_svc.terms import Exploring, Rule, Terms

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pick:
    """Tiers in the order to try them, and why."""

    order: tuple[Option, ...]
    """Never empty."""
    reason: Reason
    rule: Rule
    """The one that decided."""
    price_of_money: float = 0.0
    """0: money is not weighed."""
    utilities: dict[str, float] = field(default_factory=dict)
    """By tier; empty: the rule weighs nothing."""
    threshold: float = 0.0
    """What the first tier had to reach."""
    draw: Draw | None = None
    """How the first tier was drawn; None: not by chance."""


def pick(options: Sequence[Option], reading: Reading, limits: Limits, terms: Terms) -> Pick:
    """Choose among eligible tiers, of which there is one at least."""
    named = _named(options, reading, terms)
    if named is not None:
        first, reason, rule = named
        return Pick((first, *_behind(first, options)), reason, rule)
    if terms.in_order:
        order = tuple(configured_order(options, min_adequacy=terms.min_adequacy))
        reached = _reached(order[0], terms.min_adequacy)
        return Pick(order, reached, _target_rule(terms, reading), threshold=terms.min_adequacy)
    if terms.rule in {Rule.UTILITY, Rule.BUDGET}:
        return _by_value(options, reading, limits, terms)
    if terms.rule is Rule.STRONG_SHARE and (found := _by_share(options, reading, terms)):
        return found
    return _by_target(options, reading, terms)


def configured_order(options: Sequence[Option], *, min_adequacy: float) -> list[Option]:
    """Eligible tiers as configured, without those below the threshold.

    All stay when none reaches it. A specialist for another domain is left out
    unless no other tier is left.
    """
    adequate = [option for option in options if option.adequacy >= min_adequacy - TIE]
    candidates = adequate or list(options)
    fitting = [o for o in candidates if o.specialist or not o.seating.tier.domains]
    return fitting or candidates


def _named(
    options: Sequence[Option], reading: Reading, terms: Terms
) -> tuple[Option, Reason, Rule] | None:
    """The tier that the configuration names for such a prompt, if it may be asked."""
    by_name = {option.name: option for option in options}
    if terms.rule is Rule.FIXED and terms.tier in by_name:
        return by_name[terms.tier], Reason.FIXED, Rule.FIXED
    if reading.forecast.novel and terms.novel_tier in by_name:
        return by_name[terms.novel_tier], Reason.NOVEL, terms.rule
    return None


def _by_target(options: Sequence[Option], reading: Reading, terms: Terms) -> Pick:
    group = _group(options)
    first = group[
        cheapest_reaching(
            _adequacy(group),
            np.array([option.belief.bound for option in group]),
            _cost(group),
            _latency(group),
            target=terms.min_adequacy,
        )
    ]
    reached = _reached(first, terms.min_adequacy)
    reason = Reason.SPECIALIST if first.specialist else reached
    order = (first, *_behind(first, options, target=terms.min_adequacy))
    return Pick(order, reason, _target_rule(terms, reading), threshold=terms.min_adequacy)


def _by_value(options: Sequence[Option], reading: Reading, limits: Limits, terms: Terms) -> Pick:
    group = _group(options)
    told = limits.price_of_money if terms.rule is Rule.BUDGET else None
    price = 1.0 / terms.value_usd if told is None else told
    worth = utilities(
        _adequacy(group),
        _cost(group),
        _latency(group),
        price_of_money=price,
        price_of_second=terms.second_usd * price,
    )
    draw = _draw(group, worth, reading, limits, terms.explore)
    worth = worth if draw is None else draw.worth
    first = group[best(worth, _cost(group), _latency(group)) if draw is None else draw.at]
    by_name = {option.name: float(u) for option, u in zip(group, worth, strict=True)}
    reason = Reason.EXPLORED if draw and draw.explored else Reason.BEST_VALUE
    order = (first, *_behind(first, options))
    return Pick(order, reason, terms.rule, price, by_name, draw=draw)


def _draw(
    group: Sequence[Option],
    worth: Floats,
    reading: Reading,
    limits: Limits,
    how: Exploring | None,
) -> Draw | None:
    """None where nothing is tried."""
    if how is None:
        return None
    names = [option.name for option in group]
    score = reading.complexity.score
    return drawn(names, _adequacy(group), worth, limits, how, complexity=score)


def _by_share(options: Sequence[Option], reading: Reading, terms: Terms) -> Pick | None:
    """None where a tier may not be asked, or its predictions for other prompts are not known."""
    if len(options) != 2:
        return None
    weak, strong = options
    held_out = reading.forecast.held_out
    known = [held_out.get(option.models[0]) for option in options]
    if known[0] is None or known[1] is None or known[0].size == 0:
        return None
    least = strong_from(known[0], known[1], share=terms.share)
    helps = strong.adequacy - weak.adequacy >= least
    first, reason = (strong, Reason.STRONG) if helps else (weak, Reason.WEAK)
    threshold = float(np.clip(least, -1.0, 1.0))
    return Pick((first, *_behind(first, options)), reason, Rule.STRONG_SHARE, threshold=threshold)


def _group(options: Sequence[Option]) -> list[Option]:
    """Tiers to choose the first of: specialists of the domain, else the general ones.

    A specialist that matches comes first even when another is predicted to be
    better: it was configured for this. A specialist for another domain is left
    out unless no tier but such ones is left.
    """
    specialists = [option for option in options if option.specialist]
    general = [option for option in options if not option.seating.tier.domains]
    return specialists or general or list(options)


def _behind(first: Option, options: Sequence[Option], *, target: float = 0.0) -> list[Option]:
    """Tiers to try after the first: its own group, then the general ones.

    No tier is predicted to be weaker than one before it, or than the target if
    any reaches that.
    """
    group = _group(options)
    order = _climbing(first, group, target) if first in group else []
    last = order[-1] if order else first
    chosen = {option.name for option in (first, *order)}
    general = [o for o in options if not o.seating.tier.domains and o.name not in chosen]
    return [*order, *_climbing(last, general, target)]


def _climbing(below: Option, options: Sequence[Option], target: float) -> list[Option]:
    """Others that are no weaker than one, in cascade order."""
    others = [o for o in options if o is not below and o.adequacy >= below.adequacy - TIE]
    if not others:
        return []
    order = cascade_order(
        _adequacy(others), _cost(others), _latency(others), min_adequacy=max(below.adequacy, target)
    )
    return [others[i] for i in order]


def _target_rule(terms: Terms, reading: Reading) -> Rule:
    """What `quality_target` comes to: heuristics where nothing was learned."""
    learned = reading.forecast.is_learned and terms.rule is not Rule.HEURISTICS
    return Rule.QUALITY_TARGET if learned else Rule.HEURISTICS


def _reached(first: Option, target: float) -> Reason:
    reaches = first.belief.bound >= target - TIE
    return Reason.CHEAPEST_ADEQUATE if reaches else Reason.MOST_ADEQUATE


def _adequacy(options: Sequence[Option]) -> Floats:
    return np.array([option.adequacy for option in options])


def _cost(options: Sequence[Option]) -> Floats:
    return np.array([option.seating.cost_usd for option in options])


def _latency(options: Sequence[Option]) -> Floats:
    """Seconds to each answer; all 0 without a latency of each, so that they decide nothing."""
    latencies_s = [option.seating.latency_s for option in options]
    return np.array([0.0 if None in latencies_s else latency_s for latency_s in latencies_s])
