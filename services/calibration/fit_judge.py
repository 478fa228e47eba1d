"""Learns from labelled outcomes whom to believe: judges of a panel, signals of an answer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.calibration.artefact import JudgeFit
from services.calibration.measures import auroc
from services.calibration.threshold import promised
from services.calibration.votes import folds

RIDGE: Final = 1.0
MIN_OF_EACH: Final = 10
"""Acceptable answers, and others, below which nothing is learned of the signals."""
PROMISES: Final = ((0.05, 0.1), (0.1, 0.1), (0.2, 0.1), (0.3, 0.1))
"""(alpha, delta) for which thresholds are kept unless others are asked for."""

USUAL: Final = 0.9
"""Share of the answers that have a signal, and of those that have all such, from which on it is
learned, of the answers that have it."""

JUDGE: Final = "judge"
"""The signal that a judge model gives, where it was asked."""
NOT_NEGATIVE: Final = frozenset({JUDGE, "support"})
"""Signals that never count against an answer when they speak for it: a judge that misleads, or a
vote that does, is not heard."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Signals = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """How much each judge's comparison counts."""

    reliabilities: Floats
    """Shape (judges,), >= 0: the best weights without a negative one."""
    raw: Floats
    """The best weights; negative for a judge that misleads."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """log-odds(ok) = intercept + sum of coefficient times signal."""

    names: tuple[str, ...]
    coefficients: Floats
    intercept: float


def fit_panel(scores: Floats, first_better: Bools) -> Panel:
    """The weights that best tell which of two answers is better.

    Parameters
    ----------
    scores : ndarray of float64, shape (pairs, judges)
        In [-1, 1], 1 for the first answer: both orders averaged. NaN where a
        judge gave none.
    first_better : ndarray of bool, shape (pairs,)

    Notes
    -----
    A logistic model without intercept is antisymmetric: exchanging the answers
    exchanges the verdict, so that no preference for a place can be learned.
    """
    told = np.nan_to_num(scores, nan=0.0)
    ridge = np.full(told.shape[1], RIDGE)
    return Panel(
        reliabilities=_logistic(told, first_better, ridge, least=[0.0] * len(ridge)),
        raw=_logistic(told, first_better, ridge, least=[None] * len(ridge)),
    )


def fit_fusion(signals: Sequence[Signals], ok: Bools) -> Fusion:
    """Weigh the signals that all answers have, and a judge model's score that some have.

    A judge is asked where its score can turn the decision. What it says is
    learned from those answers, ten of either kind at least, beside what the
    other signals say there, as learned from all.

    Raises
    ------
    ValueError
        If there are fewer than ten answers of either kind.
    """
    _check(signals, ok)
    names = tuple(sorted(set(signals[0]).intersection(*signals)))
    table = np.array([[row[name] for name in names] for row in signals], dtype=np.float64)
    least = [0.0 if name in NOT_NEGATIVE else None for name in names]
    fitted = _scaled_fit(table.reshape(len(signals), len(names)), ok, least=least)
    fusion = Fusion(names, fitted[:-1], float(fitted[-1]))
    heard = np.array([JUDGE in row for row in signals])
    few = min(int(ok[heard].sum()), int((~ok[heard]).sum())) < MIN_OF_EACH
    return fusion if few or JUDGE in names else _with_judge(fusion, signals, ok, heard)


def _with_judge(fusion: Fusion, signals: Sequence[Signals], ok: Bools, heard: Bools) -> Fusion:
    """Add a judge's score, and give what the others say the weight that it has beside it."""
    rows = [row for row, is_heard in zip(signals, heard, strict=True) if is_heard]
    others = _scores(fusion, rows)
    table = np.column_stack([others, [row[JUDGE] for row in rows]])
    fitted = _scaled_fit(table, ok[heard], least=[-float(others.std()), 0.0], offset=others)
    share, judge = 1.0 + fitted[0], fitted[1]
    return Fusion(
        (*fusion.names, JUDGE),
        np.append(share * fusion.coefficients, judge),
        float(share * fusion.intercept + fitted[-1]),
    )


def probabilities(fusion: Fusion, signals: Sequence[Signals]) -> Floats:
    """P(ok) of each answer; NaN where a signal is missing."""
    return 1.0 / (1.0 + np.exp(-np.clip(_scores(fusion, signals), -700.0, 700.0)))


def _scores(fusion: Fusion, signals: Sequence[Signals]) -> Floats:
    """Log-odds that each answer is acceptable; NaN where a signal is missing."""
    missing = float("nan")
    table = np.array([[row.get(n, missing) for n in fusion.names] for row in signals])
    found: Floats = table.reshape(len(signals), len(fusion.names)) @ fusion.coefficients
    return found + fusion.intercept


def fit_judge(
    signals: Sequence[Signals],
    ok: Bools,
    *,
    judges: Mapping[str, tuple[float, float]] | None = None,
    promises: Iterable[tuple[float, float]] = PROMISES,
    seed: int = 0,
) -> JudgeFit:
    """Learn the fusion from one half of the answers and the thresholds from the other.

    Halves, because a promise holds only for answers that the fusion has not
    seen. The few answers that lack a usual signal, such as what peers say where
    there was none, are left out: they are promised nothing when served. Where no
    judge was asked, a threshold is held against the worst that it could have
    said: that a wrong answer is good, and a good one wrong.

    Parameters
    ----------
    signals : sequence of mapping
        Signals of each answer by name.
    ok : ndarray of bool, shape (n,)
        Whether each was acceptable.
    judges : mapping, optional
        By judge: its weight, and the same before clipping.
    promises : iterable of (float, float)
        Alpha and delta of each threshold.

    Raises
    ------
    ValueError
        If there are fewer than ten answers of either kind in the first half.
    """
    whole = _with_usual(signals)
    signals = [row for row, is_whole in zip(signals, whole, strict=True) if is_whole]
    ok = ok[whole]
    first = folds(len(ok), parts=2, seed=seed) == 0
    learned = [row for row, is_in in zip(signals, first, strict=True) if is_in]
    unseen = [row for row, is_in in zip(signals, first, strict=True) if not is_in]
    fusion = fit_fusion(learned, ok[first])
    fusion = Fusion(fusion.names, fusion.coefficients.round(6), round(fusion.intercept, 6))
    sure, worst = probabilities(fusion, unseen), _worst(fusion, unseen, ok[~first])
    told = judges or {}
    return JudgeFit(
        intercept=fusion.intercept,
        coefficients=dict(zip(fusion.names, map(float, fusion.coefficients), strict=True)),
        reliabilities={name: round(clipped, 6) for name, (clipped, _) in told.items()},
        raw_reliabilities={name: round(raw, 6) for name, (_, raw) in told.items()},
        thresholds=tuple(promised(worst, ok[~first], alpha=a, delta=d) for a, d in promises),
        n_labels=len(ok),
        metrics=_metrics(sure, ok[~first]),
    )


def _worst(fusion: Fusion, signals: Sequence[Signals], ok: Bools) -> Floats:
    """P(ok) of each answer; without a judge, what it would be with one that misjudged it."""
    rows = [{JUDGE: float(not is_ok), **row} for row, is_ok in zip(signals, ok, strict=True)]
    return probabilities(fusion, rows)


def _with_usual(signals: Sequence[Signals]) -> Bools:
    """Which answers have all signals that most have; all where too few have all of them."""
    seen = Counter(name for row in signals for name in row if name != JUDGE)
    usual = {name for name, count in seen.items() if count >= USUAL * len(signals)}
    whole = np.array([usual <= row.keys() for row in signals], dtype=bool)
    return whole if whole.sum() >= USUAL * len(signals) else np.ones(len(signals), dtype=bool)


def _metrics(sure: Floats, ok: Bools) -> dict[str, float]:
    known = ~np.isnan(sure)
    ranked = auroc(sure[known], ok[known])
    found = {"base_rate": round(float(ok.mean()), 6)}
    return found if ranked is None else {**found, "auroc": round(ranked, 6)}


def _check(signals: Sequence[Signals], ok: Bools) -> None:
    if len(signals) != len(ok):
        raise ValueError(f"{len(signals)} answers have {len(ok)} outcomes")
    fewest = min(int(ok.sum()), int((~ok).sum()))
    if fewest < MIN_OF_EACH:
        raise ValueError(f"{fewest} answers of one kind; at least {MIN_OF_EACH} are needed")


def _scaled_fit(
    table: Floats, is_true: Bools, *, least: Sequence[float | None], offset: Floats | None = None
) -> Floats:
    """Coefficients, the intercept last; penalised and bounded as if each column had unit spread."""
    mean, spread = table.mean(axis=0), table.std(axis=0)
    spread = np.where(spread > 1e-9, spread, np.inf)
    ridge = np.append(np.full(table.shape[1], RIDGE), 0.0)
    scaled = np.column_stack([(table - mean) / spread, np.ones(len(table))])
    fitted = _logistic(scaled, is_true, ridge, least=[*least, None], offset=offset)
    coefficients = fitted[:-1] / spread
    return np.append(coefficients, fitted[-1] - coefficients @ mean)


def _logistic(
    table: Floats,
    is_true: Bools,
    ridge: Floats,
    *,
    least: Sequence[float | None],
    offset: Floats | None = None,
) -> Floats:
    """Coefficients of a penalised logistic regression, added to log-odds that are known."""
    from scipy.optimize import minimize  # noqa: PLC0415 - training only: serving needs no scipy

    sign = np.where(is_true, 1.0, -1.0)
    known = np.zeros(len(sign)) if offset is None else offset

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = sign * (known + table @ at)
        pull = sign / (1.0 + np.exp(np.clip(margin, -700.0, 700.0)))
        penalty = 0.5 * float(ridge @ at**2)
        return float(np.logaddexp(0.0, -margin).sum()) + penalty, ridge * at - table.T @ pull

    solved: Any = minimize(
        loss,
        np.zeros(table.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, None) for low in least],
        options={"maxiter": 1000},
    )
    return np.asarray(solved.x, dtype=np.float64)
