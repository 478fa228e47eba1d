"""The configuration as the router's policy sees it."""

from collections.abc import Mapping
from dataclasses import dataclass

from router_svc.domains import BUILT_IN, NONE
from router_svc.plan import Graph, StepProfile
from router_svc.profiles import Filter, JurorProfile, Objection, TierProfile
from router_svc.terms import Rule, Terms
from services.config.graphs import output_format
from services.config.routing import Allowed
from services.config.steps import Step
from services.config.tree import (
    Config,
    Ensemble,
    Juror,
    Model,
    RouteEnsemble,
    Router,
    SpecialistsEnsemble,
    Tier,
    Tiered,
)
from services.core.tokens import text_tokens


@dataclass(frozen=True, slots=True)
class EnsembleProfile:
    """What the router needs to know of an ensemble."""

    tiers: tuple[TierProfile, ...]
    terms: Terms | None
    """How one of the tiers is chosen; None: all jurors are asked at once."""
    graph: Graph | None = None
    """Its steps; None: it has none, and is routed."""


def ensemble_profiles(config: Config) -> dict[str, EnsembleProfile]:
    """All ensembles by name."""
    return {name: _ensemble(e, config) for name, e in config.ensembles.items()}


def uses_domains(config: Config) -> bool:
    """Whether domains were configured, or a tier is the specialist for a built-in one."""
    if config.router.domains is not None:
        return bool(config.router.domains)
    return any(tier.domains for ensemble in config.ensembles.values() for tier in ensemble.tiers)


def domain_examples(router: Router) -> list[tuple[str, str]]:
    """Pairs of domain and example; the domain of a prompt that belongs to none is empty."""
    if router.domains is not None:
        shown = {name: domain.examples for name, domain in router.domains.items()}
    else:
        shown = {**BUILT_IN, "": NONE}
    return [(name, example) for name, examples in shown.items() for example in examples]


def _ensemble(ensemble: Ensemble, config: Config) -> EnsembleProfile:
    steps = ensemble if isinstance(ensemble, SpecialistsEnsemble) else None
    return EnsembleProfile(
        tiers=tuple(_tier(tier, ensemble, config.models) for tier in ensemble.tiers),
        graph=_graph(steps, config.ensembles) if steps else None,
        terms=_terms(ensemble) if isinstance(ensemble, Tiered) else None,
    )


def _terms(ensemble: Tiered) -> Terms:
    """A cascade keeps its order; what is learned decides only whom it leaves out."""
    if not isinstance(ensemble, RouteEnsemble):
        return Terms(ensemble.min_adequacy, in_order=True)
    policy = ensemble.policy
    return Terms(
        ensemble.min_adequacy,
        Rule(policy.rule),
        value_usd=policy.value_usd,
        second_usd=policy.second_usd,
        share=policy.share or 0.0,
        tier=policy.tier or "",
        novel_tier=policy.novel_tier or "",
    )


def _graph(ensemble: SpecialistsEnsemble, ensembles: Mapping[str, Ensemble]) -> Graph:
    return Graph(
        steps=tuple(_step(name, step, ensembles) for name, step in ensemble.steps.items()),
        final=tuple(ensemble.final),
        merge_calls=1 if ensemble.merge and ensemble.merge.model else 0,
    )


def _step(name: str, step: Step, ensembles: Mapping[str, Ensemble]) -> StepProfile:
    folder = step.retrieval.folder if step.retrieval else ""
    return StepProfile(
        id=name,
        goal=step.goal,
        specialist=step.model or step.ensemble or folder,
        reads=step.depends_on,
        required=step.required,
        least_calls=_least_calls(step, ensembles),
        output_format=output_format(step.output_format),
    )


def _least_calls(step: Step, ensembles: Mapping[str, Ensemble]) -> int:
    """Calls that a step cannot do without: an ensemble's cheapest quorum."""
    if step.ensemble is None:
        return 1 if step.model else 0
    return min((tier.needed for tier in ensembles[step.ensemble].tiers), default=0)


def _tier(tier: Tier, ensemble: Ensemble, models: Mapping[str, Model]) -> TierProfile:
    return TierProfile(
        name=tier.name,
        jurors=tuple(_juror(juror, models[juror.model], ensemble.allow) for juror in tier.jurors),
        quorum=tier.quorum,
        grace_s=tier.grace_s,
        domains=tier.domains,
    )


def _juror(juror: Juror, model: Model, allowed: Allowed) -> JurorProfile:
    return JurorProfile(
        name=juror.label,
        adequacy=model.adequacy,
        expected_latency_s=model.expected_latency_s,
        context_tokens=model.context_tokens,
        max_output_tokens=model.max_output_tokens,
        input_usd_per_mtok=model.price.input_usd_per_mtok,
        output_usd_per_mtok=model.price.output_usd_per_mtok,
        instruction_tokens=text_tokens(juror.instruction),
        tools=model.tools,
        images=model.images,
        schemas=model.schemas,
        model=juror.model,
        barred=_barred(juror.label, model, allowed),
        max_answer_usd=allowed.max_answer_usd,
    )


def _barred(juror: str, model: Model, allowed: Allowed) -> Objection | None:
    if text := allowed.wrong_region(model.region):
        return Objection(juror, Filter.REGION, text)
    if text := allowed.lacking(model.labels):
        return Objection(juror, Filter.LABEL, text)
    return None
