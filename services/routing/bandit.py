"""Corrects what is predicted of choices by what came of them, and draws some to learn from. Pure.

Chance is an argument. Every draw comes with the probability that it had, so that another policy can
be judged on the same log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import numpy as np

from services.routing.features import Floats

RIDGE: Final = 5.0
"""Outcomes that the prediction counts for: a correction starts at 0 and grows with what is seen."""
KEPT: Final = 0.999
"""What a choice's earlier outcomes count after each new one: the last thousand count most."""
ALPHA: Final = 0.5
"""Standard deviations by which LinUCB is optimistic."""
THOMPSON: Final = 0.5
"""Standard deviations by which Thompson sampling strays: rewards in [0, 1] have no more."""
DRAWS: Final = 256
"""From the posterior, whose winners make up Thompson's chances."""


class Explore(StrEnum):
    """How choices are drawn."""

    LINUCB = "linucb"
    THOMPSON = "thompson"


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """What came of one choice, beyond what was predicted."""

    precision: Floats
    """Shape (d, d), symmetric, positive definite."""
    moment: Floats
    """Shape (d,)."""

    @classmethod
    def fresh(cls, d: int) -> Self:
        """Nothing is known: the prediction stands."""
        return cls(RIDGE * np.eye(d), np.zeros(d))

    def after(self, context: Floats, surprise: float) -> Self:
        """With one more outcome.

        Parameters
        ----------
        context : ndarray of float64, shape (d,)
            In which it was chosen.
        surprise : float
            Reward less the reward that was predicted.

        Raises
        ------
        ValueError
            If something is no number.
        """
        if not (np.isfinite(context).all() and np.isfinite(surprise)):
            raise ValueError("context and surprise must be finite")
        faded = KEPT * self.precision + (1.0 - KEPT) * RIDGE * np.eye(context.size)
        return type(self)(
            faded + np.outer(context, context), KEPT * self.moment + surprise * context
        )


def corrections(arms: Sequence[Arm], contexts: Floats) -> tuple[Floats, Floats]:
    """How far each prediction was off in like contexts, and how uncertain that is.

    Parameters
    ----------
    arms : sequence of Arm, length m
    contexts : ndarray of float64, shape (m, d)
        One for each choice.

    Returns
    -------
    mean, spread : ndarray of float64, shape (m,)
        To add to the predictions; in standard deviations of a reward, >= 0.

    Notes
    -----
    Ridge regression of the surprises, one for each choice ("disjoint" LinUCB
    [1]_). O(m d^3).

    References
    ----------
    .. [1] L. Li et al. A Contextual-Bandit Approach to Personalized News
       Article Recommendation. arXiv:1003.0146, 2010.

    Examples
    --------
    >>> arm, always = Arm.fresh(1), np.array([1.0])
    >>> for _ in range(50):
    ...     arm = arm.after(always, -0.3)
    >>> mean, spread = corrections([arm, Arm.fresh(1)], np.ones((2, 1)))
    >>> mean.round(2).tolist(), spread.round(2).tolist()
    ([-0.27, 0.0], [0.14, 0.45])
    """
    solved = [np.linalg.solve(arm.precision, np.stack([arm.moment, u], axis=1)) for arm, u in
              zip(arms, contexts, strict=True)]  # fmt: skip
    mean = np.array([u @ s[:, 0] for u, s in zip(contexts, solved, strict=True)])
    variance = np.array([u @ s[:, 1] for u, s in zip(contexts, solved, strict=True)])
    return mean, np.sqrt(np.maximum(variance, 0.0))


def chances(
    explore: Explore, worth: Floats, spread: Floats, *, forced: float, rng: np.random.Generator
) -> Floats:
    """With which probability each choice is to be drawn.

    Parameters
    ----------
    explore : Explore
        `linucb` takes the choice that is worth most at best, `thompson` each as
        often as it is worth most in draws from what is believed of it.
    worth, spread : ndarray of float64, shape (m,)
        Corrected worth of each choice, and how uncertain it is. Of equals the
        first is taken.
    forced : float
        Probability in [0, 1] to draw any choice whatever it is worth.

    Returns
    -------
    ndarray of float64, shape (m,)
        Propensities; they add up to 1, and are `forced` / m at least.

    Raises
    ------
    ValueError
        If there is no choice, or `forced` is not in [0, 1].

    Notes
    -----
    LinUCB [1]_; Thompson sampling for linear payoffs [2]_. Thompson's chances
    are counted over draws and then drawn from, so that they are exact given
    those draws: which is all that importance weighting needs. O(m draws).

    References
    ----------
    .. [1] L. Li et al. A Contextual-Bandit Approach to Personalized News
       Article Recommendation. arXiv:1003.0146, 2010.
    .. [2] S. Agrawal, N. Goyal. Thompson Sampling for Contextual Bandits with
       Linear Payoffs. arXiv:1209.3352, 2012.

    Examples
    --------
    >>> worth, spread = np.array([0.6, 0.5]), np.array([0.0, 0.4])
    >>> rng = np.random.default_rng(0)
    >>> chances(Explore.LINUCB, worth, spread, forced=0.02, rng=rng).tolist()
    [0.01, 0.99]
    """
    if not worth.size or worth.shape != spread.shape or not 0.0 <= forced <= 1.0:
        raise ValueError(f"{worth.shape} and {spread.shape} must match; forced is {forced}")
    if explore is Explore.LINUCB:
        own = np.eye(worth.size)[int(np.argmax(worth + ALPHA * spread))]
    else:
        drawn = rng.normal(worth, THOMPSON * spread, (DRAWS, worth.size))
        own = np.bincount(drawn.argmax(axis=1), minlength=worth.size) / DRAWS
    mixed: Floats = forced / worth.size + (1.0 - forced) * own
    return mixed
