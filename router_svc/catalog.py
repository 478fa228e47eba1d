"""The configuration as the router's policy sees it."""

from collections.abc import Mapping
from dataclasses import dataclass

from router_svc.domains import BUILT_IN, NONE
from router_svc.gate import Quorum
from router_svc.plan import Graph, OnFail, StepProfile
from router_svc.profiles import Filter, JurorProfile, Objection, TierProfile
from router_svc.staff import Doer, Staff
from router_svc.terms import Exploring, Rule, Terms
from services.config import routing
from services.config.graphs import output_format
from services.config.planning import Direct, Specialist
from services.config.routing import Allowed
from services.config.steps import Merge, Step
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
from services.routing.bandit import Explore


@dataclass(frozen=True, slots=True)
class EnsembleProfile:
    """What the router needs to know of an ensemble."""

    tiers: tuple[TierProfile, ...]
    terms: Terms | None
    """How one of the tiers is chosen; None: all jurors are asked at once."""
    graph: Graph | None = None
    """Its steps; None: it has none."""
    staff: Staff | None = None
    """Who can do steps of plans that are made for each prompt; None: none are made."""
    direct: Doer | None = None
    """Who answers where cutting does not pay; None: that is not asked."""

    @property
    def is_planned(self) -> bool:
        """Whether it is planned, not routed."""
        return self.graph is not None or self.staff is not None


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
        graph=_graph(steps, config) if steps and steps.steps else None,
        terms=_terms(ensemble) if isinstance(ensemble, Tiered) else None,
        staff=_staff(steps, config) if steps and steps.specialists else None,
        direct=_doer(steps.direct, config) if steps and steps.direct else None,
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
        explore=_exploring(policy.explore) if policy.explore else None,
    )


def _exploring(explore: routing.Exploring) -> Exploring:
    return Exploring(Explore(explore.rule), explore.forced)


def _graph(ensemble: SpecialistsEnsemble, config: Config) -> Graph:
    merges = ensemble.merge is not None and ensemble.merge.model is not None
    return Graph(
        steps=tuple(_step(name, step, config) for name, step in ensemble.steps.items()),
        final=tuple(ensemble.final),
        merge_calls=int(merges),
        merge=_doer(ensemble.merge, config) if ensemble.merge and merges else None,
        quorums=tuple(Quorum(each.steps, each.needed) for each in ensemble.quorums),
    )


def _step(name: str, step: Step, config: Config) -> StepProfile:
    return StepProfile(
        id=name,
        goal=step.goal,
        doer=_doer(step, config),
        reads=step.depends_on,
        required=step.required,
        least_calls=_least_calls(step, config.ensembles),
        output_format=output_format(step.output_format),
        on_fail=OnFail(step.on_fail) if step.on_fail else None,
    )


def _staff(ensemble: SpecialistsEnsemble, config: Config) -> Staff:
    merge, planner = ensemble.merge, ensemble.planner
    if merge is None:
        raise ValueError("specialists must have a merge; the configuration checks it")
    return Staff(
        roles={name: _doer(each, config) for name, each in ensemble.specialists.items()},
        merge=_doer(merge, config),
        planner=planner.model if planner else "",
        planner_timeout_s=planner.timeout_s if planner else 0.0,
    )


def _doer(asked: Step | Specialist | Direct | Merge, config: Config) -> Doer:
    """Who does something, with the tiers that answer."""
    described = asked.description if isinstance(asked, Specialist) else ""
    if asked.model is not None:
        juror = _juror(Juror(model=asked.model), config.models[asked.model], Allowed())
        return Doer(asked.model, (TierProfile(asked.model, (juror,)),), description=described)
    if not isinstance(asked, Merge) and asked.ensemble is not None:
        ensemble = config.ensembles[asked.ensemble]
        tiers = tuple(_tier(tier, ensemble, config.models) for tier in ensemble.tiers)
        needs_all = isinstance(ensemble, SpecialistsEnsemble) and bool(ensemble.steps)
        return Doer(asked.ensemble, tiers, needs_all, described)
    folder = (
        asked.retrieval.folder if isinstance(asked, Step | Specialist) and asked.retrieval else ""
    )
    return Doer(folder, description=described)


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
