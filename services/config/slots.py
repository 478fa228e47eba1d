"""How many requests a mesh works on at once, by what its models answer at once. No I/O."""

from collections import Counter
from typing import Final

from services.config.ensembles import Ensemble, SpecialistsEnsemble, Tier
from services.config.tree import Config
from services.core.graph import MOST_STEPS

AHEAD: Final = 2
"""Requests per place at a model: one is answered, one is ready to follow at once."""
QUERIES: Final = 64
"""Calls besides, such as for manifests."""
WITHOUT_MODELS: Final = 32
"""Places of an ensemble that asks none."""


def ensemble_slots(config: Config, ensemble: Ensemble) -> int:
    """Requests of one ensemble that the gateway works on at once; more are refused.

    Twice as many as its models answer at once, so that they never wait for the
    next one; more would only wait for them.
    """
    return ensemble.max_concurrent or AHEAD * _places(config, ensemble)


def service_slots(config: Config) -> int:
    """Calls that a service must take so that the gateway is never refused."""
    return QUERIES + sum(
        ensemble_slots(config, each) * _abreast(each) for each in config.ensembles.values()
    )


def _places(config: Config, ensemble: Ensemble) -> int:
    """Requests that the models of an ensemble answer at once, at its widest tier."""
    tiers = [_tier_places(config, tier) for tier in ensemble.tiers]
    if not isinstance(ensemble, SpecialistsEnsemble):
        return max(tiers)
    within = [_places(config, config.ensembles[name]) for name in sorted(set(ensemble.nested))]
    return min([*tiers, *within], default=WITHOUT_MODELS)


def _tier_places(config: Config, tier: Tier) -> int:
    """Requests that the scarcest of a tier's models allows; each asks all of its jurors."""
    asked = Counter(juror.model for juror in tier.jurors)
    return max(1, min(config.models[name].max_concurrent // n for name, n in asked.items()))


def _abreast(ensemble: Ensemble) -> int:
    """Calls to one service that a request of this ensemble may have in flight."""
    if not isinstance(ensemble, SpecialistsEnsemble):
        return 1
    return MOST_STEPS if ensemble.specialists else len(ensemble.steps)
