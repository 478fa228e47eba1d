"""By which policy an ensemble chooses one of its tiers. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from services.routing.bandit import Explore


class Rule(StrEnum):
    """How the first tier is chosen."""

    QUALITY_TARGET = "quality_target"
    UTILITY = "utility"
    BUDGET = "budget"
    STRONG_SHARE = "strong_share"
    FIXED = "fixed"
    HEURISTICS = "heuristics"


@dataclass(frozen=True, slots=True)
class Exploring:
    """How tiers are tried."""

    rule: Explore
    forced: float
    """Share of requests for which any tier is drawn, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an ensemble asks of a route."""

    min_adequacy: float
    """Adequacy that the first tier must reach, in [0, 1]."""
    rule: Rule = Rule.QUALITY_TARGET
    in_order: bool = False
    """Whether the tiers are tried in configured order, whatever is predicted of them."""
    value_usd: float = 0.01
    """What a certainly adequate answer is worth more than one that is certainly not, > 0."""
    second_usd: float = 0.0
    """What a second of waiting costs, >= 0."""
    share: float = 0.0
    """Of prompts that go to the second of two tiers, in [0, 1]."""
    tier: str = ""
    """The fixed one."""
    novel_tier: str = ""
    """Where to begin with prompts unlike everything that was learned from; empty: by the rule."""
    explore: Exploring | None = None
    """None: nothing is tried."""
