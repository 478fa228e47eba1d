"""From signals to P(ok), and from P(ok) to a decision with a promise. Pure.

Fail-closed: a signal that the fit weighs and that is missing, or no number, gives no probability,
and without one nothing is accepted.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from judge_svc.grounding import Signal
from services.core.probability import DIGITS, MIN_LABELS, sigmoid

JUDGE: Final = "judge"
"""Name of the signal that a judge model gives."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What was learned of the signals, and which promise is to be kept."""

    intercept: float
    coefficients: Mapping[str, float]
    """By signal."""
    threshold: float | None
    """P(ok) from which on answers are accepted; None where no value keeps the promise."""
    alpha: float
    """Accepted answers are wrong at most this often ..."""
    delta: float
    """... except with this probability."""
    n_labels: int
    calibration_id: str

    @property
    def calibrated(self) -> bool:
        return self.n_labels >= MIN_LABELS

    @property
    def asks_judge(self) -> bool:
        """Whether a judge model's score is one of its signals."""
        return JUDGE in self.coefficients


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the signals say together."""

    fit: Fit
    signals: tuple[Signal, ...]
    """Those that the fit weighs."""
    p_ok: float | None
    missing: tuple[str, ...]
    """Signals that the fit weighs and that were not given."""
    interval: tuple[float, float] | None = None
    """Where P(ok) lies whatever a judge would say that was not asked."""

    @property
    def accepted(self) -> bool:
        at = self.fit.threshold
        return at is not None and self.p_ok is not None and round(self.p_ok, DIGITS) >= at

    @property
    def guarantee_holds(self) -> bool:
        """Whether the promise covers the acceptance of this answer."""
        return self.accepted and self.fit.calibrated


def weighed(signals: Iterable[Signal], fit: Fit) -> Weighed:
    """Fuse the signals of one answer.

    Examples
    --------
    >>> fit = Fit(-1.0, {"agreement": 4.0}, 0.7, 0.1, 0.1, 80, "c0ffee")
    >>> round(weighed([Signal("agreement", 0.5)], fit).p_ok, 3)
    0.731
    >>> weighed([], fit).missing
    ('agreement',)
    """
    told = {s.name: s for s in signals if s.name in fit.coefficients and math.isfinite(s.value)}
    missing = tuple(sorted(fit.coefficients.keys() - told))
    given = tuple(told[name] for name in sorted(told))
    if missing:
        return Weighed(fit, given, None, missing)
    score = fit.intercept + sum(fit.coefficients[s.name] * s.value for s in given)
    return Weighed(fit, given, sigmoid(score), ())


def undecided(signals: Iterable[Signal], fit: Fit) -> bool:
    """Whether a judge model's score, whatever it be, could turn the decision.

    Only then is it worth its price: outside this band the decision is the same
    as if it had been asked.
    """
    if not fit.asks_judge or fit.threshold is None:
        return False
    known = [signal for signal in signals if signal.name != JUDGE]
    ends = [weighed([*known, Signal(JUDGE, score)], fit) for score in (0.0, 1.0)]
    return ends[0].accepted != ends[1].accepted
