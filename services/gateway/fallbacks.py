"""What stands in for a stage that is not there. No I/O."""

from collections.abc import Sequence
from functools import partial

from gremium.v1 import aggregator_pb2, manifest_pb2, router_pb2, types_pb2
from services.config.planning import DIRECT
from services.config.tree import SpecialistsEnsemble, Tier, Tiered, barred
from services.core.errors import GremiumError, NoEligibleTierError
from services.core.graph import in_order
from services.gateway import messages
from services.gateway.case import Case
from services.gateway.catalog import tier_to_wire


def default_route(case: Case, failure: GremiumError) -> router_pb2.RouteDecision:
    """For want of a router: the configured default tier, and whatever is configured after it.

    Raises
    ------
    NoEligibleTierError
        If no tier has enough jurors that the ensemble may ask.
    """
    tiers = [tier for tier in map(partial(_allowed, case), case.ensemble.tiers) if tier]
    if not tiers:
        raise NoEligibleTierError("no tier has enough jurors that the ensemble may ask")
    named = case.ensemble.default_tier if isinstance(case.ensemble, Tiered) else None
    start = next((nth for nth, tier in enumerate(tiers) if tier.name == named), 0)
    return router_pb2.RouteDecision(
        tiers=tiers[start:],
        reason=router_pb2.ROUTE_REASON_FALLBACK,
        reason_text=f"the default tier {tiers[start].name}, for want of a router: {failure}",
        propensity=1.0,
    )


def _allowed(case: Case, tier: Tier) -> router_pb2.Tier | None:
    """A tier without whom the ensemble may never ask; None if too few are left."""
    told = tier_to_wire(tier)
    left = [j.label for j in tier.jurors if not barred(case.ensemble, case.models[j.model])]
    if len(left) == len(told.jurors):
        return told
    told.jurors[:] = left
    told.quorum = tier.quorum or len(left) // 2 + 1
    return told if left and told.quorum <= len(left) else None


def default_plan(ensemble: SpecialistsEnsemble, failure: GremiumError) -> router_pb2.Plan:
    """For want of a router: one call where the configuration names one, else its steps in order."""
    if ensemble.direct is not None:
        only = router_pb2.Step(id=DIRECT, required=True)
        reason_text = f"answered whole, for want of a router: {failure}"
        return router_pb2.Plan(
            steps=[only], reason_text=reason_text, origin=router_pb2.PLAN_ORIGIN_DIRECT
        )
    steps = [
        router_pb2.Step(
            id=name, depends_on=ensemble.reads[name], required=ensemble.steps[name].required
        )
        for name in in_order(ensemble.reads)
    ]
    reason_text = f"the configured steps, for want of a router: {failure}"
    return router_pb2.Plan(
        steps=steps, reason_text=reason_text, origin=router_pb2.PLAN_ORIGIN_FALLBACK
    )


def best_juror(
    case: Case, tier: router_pb2.Tier, answers: Sequence[types_pb2.Answer]
) -> aggregator_pb2.AggregateResponse:
    """For want of an aggregator: the answer of the juror with the largest weight.

    Of equally heavy ones it is the one with the higher prior adequacy, then
    the first. Nothing is counted, so that there are no classes and nobody is said
    to agree, and its model's adequacy is all that is known of how likely it is
    right.
    """
    jurors = {juror.label: juror for juror in messages.jurors(case, tier)}

    def merit(answer: types_pb2.Answer) -> tuple[float, float]:
        juror = jurors[answer.juror]
        return juror.weight, case.models[juror.model].adequacy

    best = max(answers, key=merit)
    adequacy = case.models[jurors[best.juror].model].adequacy
    needed = case.ensemble.aggregate.min_confidence or 0.0
    return aggregator_pb2.AggregateResponse(
        tally=manifest_pb2.Tally(
            method="best_juror",
            p_none=1.0 - adequacy,
            consensus=adequacy >= needed,
            reason_text=""
            if adequacy >= needed
            else f"{best.juror} is right with {adequacy:.0%}; {needed:.0%} are needed",
            ballots=[manifest_pb2.Ballot(juror=a.juror, reason="NOT_COUNTED") for a in answers],
            p_correct=types_pb2.Probability(value=adequacy, low=0.0, high=1.0),
            fallback_trail=["no_aggregator"],
        ),
        representative=best,
    )
