"""What the configuration says of asking a cheaper tier, too, and when that cannot tell anything."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from pydantic import Field

from services.config.section import Fraction, Name, Seconds, Section
from services.config.synthesis import BY_MEANING

if TYPE_CHECKING:
    from services.config.ensembles import Tier, Tiered
    from services.config.tree import Model


class Shadow(Section):
    """How often a request is asked of a cheaper tier, too, once its caller has the reply.

    Only of those that a tier answered while a cheaper one that may take them was left out. It tells
    whether the cheaper one would have done, which `gremium report` counts. Nobody waits for it, and
    it is left out while the gateway has much to do. Budgets that requests share do not pay for it.
    """

    share: Fraction
    """Share of those requests; which ones is drawn by chance. 0: none."""
    max_usd_per_day: float = Field(default=0.0, ge=0.0, le=1e6)
    """US dollars that it may cost in a calendar day in UTC, comparisons included. 0: only what costs
    nothing is asked."""
    judges: tuple[Name, ...] = Field(default=(), max_length=16)
    """Models of the roster, in order of preference, that compare the two answers where they are
    prose: in both orders, without being told who wrote which. Empty: the `judge.models` of the
    ensemble; where it has none either, requests for prose are not asked again, of which the lint
    warns unless `judges: []` says that answers are labels, numbers, JSON or calls."""
    timeout_s: Seconds = 15.0
    """Longest time to compare the two answers."""


def judges_between(ensemble: "Tiered", one: str, two: str) -> list[str]:
    """Models that may compare answers of two tiers: those that sit in neither jury.

    In order of preference; without a shadow, nobody.
    """
    shadow, seated = ensemble.shadow, _seated(ensemble.tiers, one, two)
    if shadow is None:
        return []
    asked = shadow.judges or (ensemble.judge.models if ensemble.judge else ())
    return [name for name in asked if name not in seated]


def _seated(tiers: Sequence["Tier"], *names: str) -> set[str]:
    return {juror.model for tier in tiers if tier.name in names for juror in tier.jurors}


def idle(ensemble: "Tiered", models: Mapping[str, "Model"]) -> Iterator[tuple[str, str]]:
    """Why its shadow can tell nothing, or not of all: a code of the lint, and where it stands."""
    shadow = ensemble.shadow
    if shadow is None:
        return
    if len(ensemble.tiers) == 1:
        yield "SHADOW_WITHOUT_CHOICE", "shadow"
        return
    cheaper = _seated(ensemble.tiers[:-1], *(tier.name for tier in ensemble.tiers))
    if shadow.max_usd_per_day == 0.0 and any(not models[name].price.free for name in cheaper):
        yield "SHADOW_WITHOUT_BUDGET", "shadow.max_usd_per_day"
    if ensemble.aggregate.method not in BY_MEANING or _needs_no_judge(shadow):
        return
    for one, two in combinations(ensemble.tiers, 2):
        if not any(
            _independent(models[name], one, models) and _independent(models[name], two, models)
            for name in judges_between(ensemble, one.name, two.name)
        ):
            yield "SHADOW_WITHOUT_JUDGE", "shadow.judges"
            return


def _needs_no_judge(shadow: Shadow) -> bool:
    """Whether it is said on purpose that no answer is prose."""
    return "judges" in shadow.model_fields_set and not shadow.judges


def _independent(judge: "Model", tier: "Tier", models: Mapping[str, "Model"]) -> bool:
    """Whether some juror of a tier is of another family."""
    own = judge.family.strip().casefold()
    return any(models[juror.model].family.strip().casefold() != own for juror in tier.jurors)
