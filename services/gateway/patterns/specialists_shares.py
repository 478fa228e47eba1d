"""What time and money a step gets of what is left. No I/O."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.config.steps import Step
from services.config.tree import Ensemble, Model, SpecialistsEnsemble, Tier
from services.core.lease import Lease

RETRIEVAL_S: Final = 1.0
"""Expected time of a search, changed files included."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a step is expected to use, relative to the others."""

    seconds: float
    calls: int
    usd: float
    """Sum of its models' prices of a million tokens in and out."""


def needs(
    ensemble: SpecialistsEnsemble, models: Mapping[str, Model], ensembles: Mapping[str, Ensemble]
) -> dict[str, Need]:
    """Expected use of each step."""
    return {name: _need(step, models, ensembles) for name, step in ensemble.steps.items()}


def model_need(model: Model) -> Need:
    """Expected use of one call; a model of unknown latency may take all its timeout."""
    price = model.price
    usd = price.input_usd_per_mtok + price.output_usd_per_mtok
    return Need(model.expected_latency_s or model.timeout_s, 1, usd)


def _need(step: Step, models: Mapping[str, Model], ensembles: Mapping[str, Ensemble]) -> Need:
    if step.model is not None:
        return model_need(models[step.model])
    if step.ensemble is None:
        return Need(RETRIEVAL_S, 0, 0.0)
    asked = ensembles[step.ensemble]
    tiers = [_tier_need(tier, models) for tier in asked.tiers]
    judges = [model_need(models[name]) for name in asked.judge.models[:1]] if asked.judge else []
    every = [*tiers, *judges]
    return Need(
        sum(need.seconds for need in every) or RETRIEVAL_S,
        sum(need.calls for need in every),
        sum(need.usd for need in every),
    )


def _tier_need(tier: Tier, models: Mapping[str, Model]) -> Need:
    """Jurors wait for each other and are all paid."""
    jurors = [model_need(models[juror.model]) for juror in tier.jurors]
    return Need(max(need.seconds for need in jurors), len(jurors), sum(need.usd for need in jurors))


def step_s(left_s: float, *, own_s: float, behind_s: float) -> float:
    """Seconds that a step may take: its share of its critical path.

    Parameters
    ----------
    left_s : float
        Seconds until the last step must be done, >= 0.
    own_s : float
        Expected seconds of the step, > 0.
    behind_s : float
        Expected seconds of the longest path behind it, >= 0.

    Returns
    -------
    float
        In [0, left_s]. The slack is shared in proportion.

    Examples
    --------
    >>> step_s(30.0, own_s=2.0, behind_s=1.0)
    20.0
    """
    return left_s * (own_s / (own_s + behind_s))


def share(lease: Lease, own: Need, others: list[Need]) -> Lease:
    """What a step may spend when these others are still to start.

    Each limit is split by expected use; money like calls where no price is
    known. Calls are whole: a step gets as many as it is expected to make, if
    there are so many.

    Examples
    --------
    >>> model, search = Need(1.0, 1, 3.0), Need(1.0, 0, 0.0)
    >>> share(Lease(cost_usd=1.0, model_calls=4, tokens=900), model, [model, model, search])
    Lease(cost_usd=0.3333333333333333, model_calls=1, tokens=300)
    >>> share(Lease(model_calls=1), search, [model])
    Lease(cost_usd=None, model_calls=0, tokens=None)
    """
    calls = _part(own.calls, [need.calls for need in others])
    prices = [need.usd for need in others]
    usd = _part(own.usd, prices) if own.usd or any(prices) else calls
    whole = 0 if lease.model_calls is None else math.floor(lease.model_calls * calls + 1e-9)
    return Lease(
        None if lease.cost_usd is None else lease.cost_usd * usd,
        None if lease.model_calls is None else min(lease.model_calls, max(whole, own.calls)),
        None if lease.tokens is None else math.floor(lease.tokens * calls + 1e-9),
    )


def _part(own: float, others: list[float]) -> float:
    total = own + sum(others)
    return own / total if total else 0.0


def added(lease: Lease, unspent: Lease) -> Lease:
    """A lease with what a step gave back."""
    return Lease(
        None if lease.cost_usd is None else lease.cost_usd + (unspent.cost_usd or 0.0),
        None if lease.model_calls is None else lease.model_calls + (unspent.model_calls or 0),
        None if lease.tokens is None else lease.tokens + (unspent.tokens or 0),
    )
