"""Which cheaper tier a request is asked of, too, once it was answered: drawn by chance. No I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gremium.v1 import ensemble_pb2, manifest_pb2, router_pb2, types_pb2
from services.config.shadow import Shadow, judges_between
from services.config.tree import Tier, Tiered
from services.gateway.case import Case


@dataclass(frozen=True, slots=True)
class Draw:
    """A cheaper tier that a request is asked of."""

    tier: router_pb2.Tier
    propensity: float
    """Probability with which it was drawn for this request, in (0, 1]."""


def shadow_of(case: Case) -> Shadow | None:
    """What the ensemble says of it; None: it wants none."""
    shadow = case.ensemble.shadow if isinstance(case.ensemble, Tiered) else None
    return shadow if shadow is not None and shadow.share > 0.0 else None


def drawn(case: Case, reply: ensemble_pb2.AskResponse, rng: np.random.Generator) -> Draw | None:
    """One of the cheaper tiers with the configured probability, each as likely; else None."""
    shadow, tiers = shadow_of(case), cheaper(case, reply)
    if shadow is None or not tiers or rng.random() >= shadow.share:
        return None
    return Draw(tiers[int(rng.integers(len(tiers)))], shadow.share / len(tiers))


def cheaper(case: Case, reply: ensemble_pb2.AskResponse) -> Sequence[router_pb2.Tier]:
    """Tiers before the one whose answer was given that may take the prompt and were not asked.

    Where the answer is prose, only those that somebody may compare it with.
    """
    if reply.replayed or reply.outcome != manifest_pb2.OUTCOME_ANSWERED:
        return ()
    manifest, used = reply.manifest, reply.manifest.chosen_tier
    asked = {part.tier for part in manifest.participations if part.stage == manifest_pb2.STAGE_JURY}
    told = {each.name: each for each in manifest.route.candidates}
    able = (_able(tier, told.get(tier.name)) for tier in _before(case, used))
    compared = is_prose(case, reply.answer)
    return [
        tier
        for tier in able
        if tier.quorum
        and tier.name not in asked
        and (not compared or _judges(case, used, tier.name))
    ]


def is_prose(case: Case, *answers: types_pb2.Answer) -> bool:
    """Whether answers are texts in words of their own, so that no ballots tell if they agree."""
    kind = case.prompt.output_format.WhichOneof("kind")
    return kind in {None, "text"} and not any(answer.tool_calls for answer in answers)


def _before(case: Case, used: str) -> Iterator[Tier]:
    """Configured tiers before another, which is one of them."""
    names = [tier.name for tier in case.ensemble.tiers]
    yield from case.ensemble.tiers[: names.index(used)] if used in names else ()


def _able(tier: Tier, rated: router_pb2.CandidateScore | None) -> router_pb2.Tier:
    """A tier with those jurors that the router has nothing against; without a quorum: none."""
    told = rated or router_pb2.CandidateScore(eligible=True)
    barred = {objection.juror for objection in told.objections}
    able = [juror.label for juror in tier.jurors if juror.label not in barred]
    needed = len(able) // 2 + 1 if tier.quorum is None else tier.quorum
    takes = told.eligible and len(able) >= needed
    return router_pb2.Tier(name=tier.name, jurors=able, quorum=needed if takes else 0)


def _judges(case: Case, used: str, other: str) -> list[str]:
    ensemble = case.ensemble
    return judges_between(ensemble, used, other) if isinstance(ensemble, Tiered) else []
