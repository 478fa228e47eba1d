"""How good a router is: cost-quality curve, APGR, CPT, calibration, paired bootstrap. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.routing.features import Floats

BINS: Final = 10
JITTER: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy by the share of prompts that the strong model gets, as the threshold rises."""

    shares: Floats
    """Falling from 1 to 0."""
    accuracies: Floats
    weak: float
    strong: float

    @property
    def apgr(self) -> float:
        """Average performance gap recovered; NaN where the strong model is not the better one."""
        if self.strong <= self.weak:
            return float("nan")
        area = float(np.trapezoid(self.accuracies[::-1], self.shares[::-1]))
        return (area - self.weak) / (self.strong - self.weak)

    def pgr(self, share: float) -> float:
        """Share of the gap recovered when the strong model gets this share of the prompts."""
        at = float(np.interp(share, self.shares[::-1], self.accuracies[::-1]))
        gap = self.strong - self.weak
        return (at - self.weak) / gap if gap > 0.0 else float("nan")

    def cpt(self, recovered: float) -> float:
        """Share of strong calls at which this share of the gap is recovered."""
        gap = self.strong - self.weak
        if gap <= 0.0:
            return float("nan")
        return float(
            np.interp(self.weak + recovered * gap, self.accuracies[::-1], self.shares[::-1])
        )


def curve(score: Floats, weak: Floats, strong: Floats, *, seed: int = 0) -> Curve:
    """The curve of a router that sends prompts of high score to the strong model.

    Parameters
    ----------
    score : ndarray of float64, shape (n,)
        Higher: rather the strong model. Ties are broken at random.
    weak, strong : ndarray of float64, shape (n,)
        Quality of either model's answer, in [0, 1].

    Raises
    ------
    ValueError
        If the shapes differ, there are no prompts, or a score is no number.

    Notes
    -----
    As in RouteLLM's evaluation [1]_: the 11 edges of 10 bins of equal count are
    the thresholds; at the last one the score must be above it. O(n log n).

    References
    ----------
    .. [1] I. Ong et al. RouteLLM. arXiv:2406.18665, 2024.

    Examples
    --------
    >>> right = np.array([0.0, 0.0, 1.0, 1.0])
    >>> found = curve(np.array([0.9, 0.8, 0.2, 0.1]), right, np.ones(4))
    >>> bool(found.apgr > 0.5)
    True
    """
    if not score.size or not score.shape == weak.shape == strong.shape:
        raise ValueError(f"shapes {score.shape}, {weak.shape}, {strong.shape} must match")
    if not np.isfinite(score).all():
        raise ValueError("scores must be finite")
    told = score + JITTER * np.random.default_rng(seed).random(score.size)
    edges = np.quantile(told, np.linspace(0.0, 1.0, BINS + 1))
    to_strong = told >= edges[:, np.newaxis]
    to_strong[-1] = told > edges[-1]
    accuracies = np.where(to_strong, strong, weak).mean(axis=1)
    return Curve(to_strong.mean(axis=1), accuracies, float(weak.mean()), float(strong.mean()))


def cost_at_quality(costs: Floats, qualities: Floats, target: float) -> float:
    """Least cost of a mix of two points of a frontier that reaches a quality; NaN if none does.

    Parameters
    ----------
    costs, qualities : ndarray of float64, shape (n,)
        Points of a policy as its trade-off parameter moves.
    """
    reached = qualities >= target
    if not reached.any():
        return float("nan")
    found = [float(costs[reached].min())]
    for below in np.flatnonzero(~reached):
        part = (target - qualities[below]) / (qualities[reached] - qualities[below])
        found.append(float((costs[below] + part * (costs[reached] - costs[below])).min()))
    return min(found)


def paired_bootstrap(
    measure: Callable[[NDArray[np.intp]], float], n: int, *, seed: int = 0, draws: int = 500
) -> tuple[float, float]:
    """95 % interval of a difference, drawn anew over prompts.

    Parameters
    ----------
    measure : callable
        Gives the difference on drawn rows (indices, with repetition).
    """
    rng = np.random.default_rng(seed)
    drawn = np.array([measure(rng.integers(n, size=n)) for _ in range(draws)])
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return float(low), float(high)
