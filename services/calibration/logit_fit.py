"""Fits the conditional logit with a "none of them" candidate by L-BFGS-B."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.calibration.votes import Bools, Design, Floats, Ints

RIDGE: Final = 1.0
"""Penalty of a weight's distance from the mean weight, and of every addition to it."""
ABSTAIN_RIDGE: Final = 3.0
"""Penalty of what single jurors add where they give no answer: few such votes part them."""
ITERATIONS: Final = 500


@dataclass(frozen=True, slots=True)
class Logit:
    """Scores: a class has the sum of its ballots' weights."""

    votes: Floats
    """Shape (jurors,), >= 0."""
    alone: Floats
    """Added where no two ballots agree."""
    abstaining: Floats
    """Added where the ballot calls no tool."""
    abstain: float
    """Score of the class that calls no tool."""
    none_score: float
    declining: Floats
    """Added where the ballot gives no answer for another reason."""
    decline: float
    """Score of the class that does."""


def fit_logit(found: Design) -> Logit:
    """The weights that make the right classes likeliest.

    Notes
    -----
    Convex where at most one class of a prompt is right; where several are, their
    sum is made likely. The gradient is X^T (p - r) with p the posterior and r
    its share among the right classes; 0.9 s for 10,288 prompts and 29 jurors.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - training only: serving needs no scipy

    features, jurors = found.features(), found.members.shape[1]
    shown = _shown(features, jurors)
    values, bounds = _start(jurors), zip(_bounds(jurors), shown, strict=True)
    solved = minimize(
        loss,
        values[shown],
        args=(features[:, shown[:-1]], found, _ridge(jurors)[shown]),
        jac=True,
        method="L-BFGS-B",
        bounds=[bound for bound, is_shown in bounds if is_shown],
        options={"maxiter": ITERATIONS},
    )
    values[shown] = solved.x
    return unpacked(values, jurors)


def _shown(features: Floats, jurors: int) -> Bools:
    """Which values there is anything to learn of: an addition that no class shows stays 0."""
    shown = np.append(np.any(features, axis=0), True)
    shown[:jurors] = True
    return shown


def _start(jurors: int) -> Floats:
    return np.concatenate([np.ones(jurors), np.zeros(3 * jurors + 3)])


def _bounds(jurors: int) -> list[tuple[float, float]]:
    return [(0.0, np.inf)] * jurors + [(-np.inf, np.inf)] * (3 * jurors + 3)


def _ridge(jurors: int) -> Floats:
    """Penalty of each value's square; that of "none" has none."""
    ridge = np.full(4 * jurors + 3, RIDGE)
    ridge[2 * jurors : 4 * jurors] = ABSTAIN_RIDGE
    ridge[-1] = 0.0
    return ridge


def unpacked(values: Floats, jurors: int) -> Logit:
    votes, alone, abstaining, declining = values[: 4 * jurors].reshape(4, jurors)
    abstain, decline, none = (float(value) for value in values[-3:])
    return Logit(votes, alone, abstaining, abstain, none, declining, decline)


def loss(values: Floats, features: Floats, found: Design, ridge: Floats) -> tuple[float, Floats]:
    """Penalised negative log-likelihood, and its gradient.

    Parameters
    ----------
    values : ndarray of float64, shape (k + 1,)
        Weights by feature, those of votes first; last the score of "none".
    features : ndarray of float64, shape (classes, k)
        Of `Design.features`, or some of them.
    ridge : ndarray of float64, shape (k + 1,)
        Penalty of each value's square.
    """
    jurors = found.members.shape[1]
    if not found.starts.size:
        return _penalty(values, ridge, jurors)
    log_p, log_none = log_posterior(features @ values[:-1], values[-1], found)
    any_right = np.logical_or.reduceat(found.right, found.starts)
    p = np.exp(log_p)
    mass = np.add.reduceat(p * found.right, found.starts)
    told = np.where(any_right, np.log(np.maximum(mass, 1e-300)), log_none)
    group = _group(found)
    share = np.where(found.right, p / np.maximum(mass, 1e-300)[group], 0.0)
    gradient = np.append(features.T @ (p - share), (np.exp(log_none) - ~any_right).sum())
    penalty, slope = _penalty(values, ridge, jurors)
    return penalty - float(told.sum()), gradient + slope


def _penalty(values: Floats, ridge: Floats, jurors: int) -> tuple[float, Floats]:
    away = values.copy()
    away[:jurors] -= values[:jurors].mean()
    return 0.5 * float(ridge @ away**2), ridge * away


def log_posterior(scores: Floats, none_score: float, found: Design) -> tuple[Floats, Floats]:
    """Log-probability of each class, and of none for each prompt that has classes."""
    group = _group(found)
    top = np.maximum(np.maximum.reduceat(scores, found.starts), none_score)
    total = np.add.reduceat(np.exp(scores - top[group]), found.starts)
    norm = top + np.log(total + np.exp(none_score - top))
    return scores - norm[group], none_score - norm


def _group(found: Design) -> Ints:
    """For each class, which of the prompts with classes it belongs to."""
    sizes = np.diff(np.append(found.starts, found.prompt.size))
    return np.repeat(np.arange(found.starts.size), sizes)


def predicted(found: Design, fitted: Logit, priors: Floats) -> tuple[Ints, Floats]:
    """The leading class of each prompt that has any, and P(correct) of all classes.

    Of equal scores the class with the likeliest juror leads, then the least key,
    as the aggregator has it.
    """
    if not found.starts.size:
        return np.zeros(0, dtype=np.intp), np.zeros(0)
    by_juror = (fitted.votes, fitted.alone, fitted.abstaining, fitted.declining)
    weights = np.hstack([*by_juror, fitted.abstain, fitted.decline])
    scores: Floats = np.round(found.features() @ weights, 9).astype(np.float64)
    log_p, _ = log_posterior(scores, fitted.none_score, found)
    likely = np.where(found.members, priors, -1.0).max(axis=1)
    group = _group(found)
    ranked = np.lexsort((np.arange(scores.size), -likely, -scores, group))
    first: Bools = np.diff(group[ranked], prepend=-1) > 0
    return ranked[first], np.exp(log_p)
