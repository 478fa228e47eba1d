"""What asking a cheaper tier, too, may cost at most. No I/O."""

from dataclasses import dataclass, replace
from typing import Final

from gremium.v1 import ensemble_pb2, router_pb2
from services.config.shadow import judges_between
from services.config.tree import Tiered
from services.core.lease import Lease
from services.core.tokens import text_tokens
from services.gateway import estimates, messages
from services.gateway.case import Case
from services.gateway.losses import RUBRIC_TOKENS
from services.gateway.shadow_draw import is_prose

ORDERS: Final = 2
"""A judge is shown the two answers in both."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Most that it may cost, US dollars."""

    tier_usd: float
    """To ask the tier, as if its answer were audited."""
    comparison_usd: float

    @property
    def usd(self) -> float:
        return self.tier_usd + self.comparison_usd

    @property
    def leases(self) -> tuple[Lease, Lease]:
        """What the tier may spend, and what is kept for the comparison."""
        return Lease(cost_usd=self.tier_usd), Lease(cost_usd=self.comparison_usd)


def possible(case: Case, reply: ensemble_pb2.AskResponse, tier: router_pb2.Tier) -> Costs:
    """Upper estimate without retries, which may take what else is left of it."""
    ensemble = case.ensemble
    if not isinstance(ensemble, Tiered):
        return Costs(0.0, 0.0)
    alone = tuple(each for each in ensemble.tiers if each.name == tier.name)
    asked = replace(case, ensemble=ensemble.model_copy(update={"tiers": alone}))
    return Costs(estimates.possible_usd(asked), _comparison_usd(case, ensemble, reply, tier))


def _comparison_usd(
    case: Case, ensemble: Tiered, reply: ensemble_pb2.AskResponse, tier: router_pb2.Tier
) -> float:
    """Both orders by the dearest judge; structured answers are compared for nothing."""
    if not is_prose(case, reply.answer):
        return 0.0
    read = estimates.reading(case)
    most = max(read.writes(juror.model) for juror in messages.jurors(case, tier))
    shown = RUBRIC_TOKENS + text_tokens(reply.answer.text) + most
    calls = (
        read.call(name, added_tokens=shown, output_tokens=case.models[name].max_output_tokens)
        for name in judges_between(ensemble, reply.manifest.chosen_tier, tier.name)
    )
    return ORDERS * max((call.cost_usd for call in calls), default=0.0)
