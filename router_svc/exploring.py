"""Which tier is drawn, so that something is learned of the others, too. Pure: chance is the seed's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router_svc.profiles import Limits
from router_svc.terms import Exploring
from services.routing.bandit import Arm, chances, corrections

DIMENSIONS: Final = 3
"""Of a context: always 1, how hard the prompt looks, and how adequate the tier was predicted."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Draw:
    """One of several tiers, and how it came to be that one."""

    at: int
    propensity: float
    """Probability with which it was drawn, in (0, 1]."""
    explored: bool
    """Whether another one is thought to be worth more."""
    context: tuple[float, ...]
    """In which what comes of it is to be remembered."""
    worth: Floats
    """Of each tier, corrected by what came of it before."""


def drawn(
    names: Sequence[str],
    adequacy: Floats,
    worth: Floats,
    limits: Limits,
    how: Exploring,
    *,
    complexity: float,
) -> Draw:
    """Draw a tier by what it is worth, corrected by what came of it in like contexts.

    Parameters
    ----------
    names : sequence of str, length n_tiers
    adequacy, worth : ndarray of float64, shape (n_tiers,)
        As predicted; worth is adequacy less what it costs.
    complexity : float
        How hard the prompt looks, in [0, 1].

    Notes
    -----
    Where the risk is high, the tier that is thought best is taken for sure.
    """
    ones = np.ones(len(names))
    contexts = np.stack([ones, complexity * ones, 2.0 * adequacy - 1.0], axis=1)
    arms = [limits.experience.get(name, Arm.fresh(DIMENSIONS)) for name in names]
    mean, spread = corrections(arms, contexts)
    corrected = worth + mean
    best = int(corrected.argmax())
    if limits.high_risk:
        return Draw(best, 1.0, False, tuple(contexts[best]), corrected)
    rng = np.random.default_rng(limits.seed)
    chance = chances(how.rule, corrected, spread, forced=how.forced, rng=rng)
    at = int(rng.choice(len(names), p=chance))
    return Draw(at, float(chance[at]), at != best, tuple(contexts[at]), corrected)
