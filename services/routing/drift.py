"""Notices that models no longer do what was learned of them. Chance is an argument; no I/O.

Predictions that are wrong by the same amount all along are no drift. So outcomes are held against
the earlier ones of the same domain and model, each as what was predicted of it, not against the
predictions themselves: false alarms are bounded whether or not those are calibrated.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.routing.features import Floats

BINS: Final = 40
"""By which residuals in [-1, 1] are kept; those of one bin are ties."""
EVERY: Final = 100_000
"""Outcomes for one false alarm at most, in expectation."""
MAX_STREAMS: Final = 16_384
"""Pairs of a domain and a model that are watched."""

Counts = NDArray[np.int64]


def _bets() -> tuple[Floats, Floats]:
    """Parts of the ranks to bet on, and the probability that each bet puts there."""
    below = np.array([0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9])[:, np.newaxis]
    strength = np.array([0.3, 0.65])
    more, less = below + (1.0 - below) * strength, below * (1.0 - strength)
    chances = np.concatenate([more, less], axis=1)
    return np.repeat(below[:, 0], chances.shape[1]), chances.ravel()


BELOW, CHANCE = _bets()
N_VIEWS: Final = 2
"""A residual, and the same signed by the side of one half on which the prediction was: a model that
does worse or better overall shows in the first, one that is no longer what it was in the second."""


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """The outcomes of one model in one domain, and the evidence that they changed."""

    counts: Counts = field(default_factory=lambda: np.zeros((N_VIEWS, BINS), dtype=np.int64))
    """Residuals seen, by view and bin."""
    evidence: Floats = field(default_factory=lambda: np.zeros((N_VIEWS, BELOW.size)))
    """Of each bet, >= 0."""

    @property
    def strength(self) -> float:
        """How strong the evidence is; without drift its expectation is the number of outcomes."""
        return float(self.evidence.mean())

    @property
    def n(self) -> int:
        """Outcomes seen."""
        return int(self.counts[0].sum())


def seen(watch: Watch, *, predicted: float, outcome: float, ties: Floats) -> Watch:
    """The watch after one more outcome.

    Parameters
    ----------
    watch : Watch
        After the outcomes before, in the order in which they came.
    predicted : float
        Probability that was predicted of an adequate answer, in [0, 1].
    outcome : float
        How adequate it was, in [0, 1].
    ties : ndarray of float64, shape (2,)
        Drawn uniformly from [0, 1) for this outcome.

    Raises
    ------
    ValueError
        If the prediction or the outcome is not in [0, 1].

    Notes
    -----
    A conformal test [1]_: the rank of a residual among all so far is uniform,
    and independent of the ranks before, as long as the outcomes of a domain
    are exchangeable; bets against that grow when they are not. Each bet's
    evidence is a Shiryaev-Roberts sum, which is an e-detector [2]_: evidence
    less the number of outcomes is a supermartingale, so that alarms at
    evidence `every`, each of which starts the watch anew, come at most once in
    `every` outcomes in expectation. The mean over bets keeps that; so does any
    number of streams, whose outcomes add up. O(bins + bets).

    References
    ----------
    .. [1] V. Vovk et al. Retrain or not retrain: Conformal test martingales
       for change-point detection. arXiv:2102.10439, 2021.
    .. [2] J. Shin, A. Ramdas, A. Rinaldo. E-detectors: a nonparametric
       framework for sequential change detection. arXiv:2203.03532, 2022.

    Examples
    --------
    >>> watch, rng = Watch(), np.random.default_rng(0)
    >>> for nth in range(100):
    ...     right = float(nth % 5 > 0)
    ...     watch = seen(watch, predicted=0.8, outcome=right, ties=rng.random(2))
    >>> watch.strength < EVERY
    True
    >>> for _ in range(20):
    ...     watch = seen(watch, predicted=0.8, outcome=0.0, ties=rng.random(2))
    >>> watch.strength > EVERY
    True
    """
    if not (0.0 <= predicted <= 1.0 and 0.0 <= outcome <= 1.0):
        raise ValueError(f"predicted {predicted} and outcome {outcome} must be in [0, 1]")
    residual = outcome - predicted
    views = np.array([residual, residual * (2.0 * predicted - 1.0)])
    at = np.minimum(((views + 1.0) / 2.0 * BINS).astype(np.intp), BINS - 1)
    counts = watch.counts.copy()
    counts[np.arange(N_VIEWS), at] += 1
    return Watch(counts, (watch.evidence + 1.0) * _payoffs(_ranks(counts, at, ties)))


def _ranks(counts: Counts, at: NDArray[np.intp], ties: Floats) -> Floats:
    """By view, the share of residuals that are less than this one; of ties a random part."""
    rows = np.arange(N_VIEWS)
    equal = counts[rows, at]
    less = np.cumsum(counts, axis=1)[rows, at] - equal
    ranks: Floats = (less + ties * equal) / counts.sum(axis=1)
    return ranks


def _payoffs(ranks: Floats) -> Floats:
    """What each bet pays by view, shape (2, bets); their expectation is 1 for a uniform rank."""
    is_below = ranks[:, np.newaxis] < BELOW
    return np.where(is_below, CHANCE / BELOW, (1.0 - CHANCE) / (1.0 - BELOW))


@dataclass(frozen=True, slots=True)
class Alarm:
    """Outcomes of a model in a domain that are no longer what they were."""

    domain: str
    model: str
    n: int
    """Outcomes since the watch began."""


class Drift:
    """Watches all domains and models, each by itself."""

    def __init__(self, rng: np.random.Generator, *, every: int = EVERY) -> None:
        """`every`: outcomes for one false alarm at most, in expectation."""
        self._rng = rng
        self._every = every
        self._watches: dict[tuple[str, str], Watch] = {}

    def observe(self, *, domain: str, model: str, predicted: float, outcome: float) -> Alarm | None:
        """Take in one outcome; an alarm starts the watch of its domain and model anew.

        Raises
        ------
        ValueError
            If the prediction or the outcome is not in [0, 1].
        """
        key = (domain, model)
        if key not in self._watches and len(self._watches) >= MAX_STREAMS:
            return None
        ties = self._rng.random(N_VIEWS)
        before = self._watches.get(key, Watch())
        watch = seen(before, predicted=predicted, outcome=outcome, ties=ties)
        if watch.strength < self._every:
            self._watches[key] = watch
            return None
        self._watches.pop(key, None)
        return Alarm(domain, model, watch.n)
