"""Fits the conditional logit with a "none of them" candidate by L-BFGS-B."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.calibration.votes import Bools, Design, Floats, Ints

RIDGE: Final = 1.0
"""Penalty of a weight's distance from the mean weight, and of every addition to it."""
ABSTAIN_RIDGE: Final = 3.0
"""Penalty of what single jurors add where they call no tool: few such votes part them."""
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
    solved = minimize(
        loss,
        _start(jurors),
        args=(features, found),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * jurors + [(None, None)] * (2 * jurors + 2),
        options={"maxiter": ITERATIONS},
    )
    return unpacked(np.asarray(solved.x, dtype=np.float64), jurors)


def _start(jurors: int) -> Floats:
    return np.concatenate([np.ones(jurors), np.zeros(2 * jurors + 2)])


def unpacked(values: Floats, jurors: int) -> Logit:
    votes, alone, abstaining = values[: 3 * jurors].reshape(3, jurors)
    return Logit(votes, alone, abstaining, float(values[-2]), float(values[-1]))


def loss(values: Floats, features: Floats, found: Design) -> tuple[float, Floats]:
    """Penalised negative log-likelihood, and its gradient.

    Parameters
    ----------
    values : ndarray of float64, shape (3 jurors + 2,)
        Weights by feature; last the score of "none".
    features : ndarray of float64, shape (classes, 3 jurors + 1)
        Of `Design.features`.
    """
    if not found.starts.size:
        return _penalty(values, found.members.shape[1])
    log_p, log_none = log_posterior(features @ values[:-1], values[-1], found)
    any_right = np.logical_or.reduceat(found.right, found.starts)
    p = np.exp(log_p)
    mass = np.add.reduceat(p * found.right, found.starts)
    told = np.where(any_right, np.log(np.maximum(mass, 1e-300)), log_none)
    group = _group(found)
    share = np.where(found.right, p / np.maximum(mass, 1e-300)[group], 0.0)
    gradient = np.append(features.T @ (p - share), (np.exp(log_none) - ~any_right).sum())
    penalty, slope = _penalty(values, found.members.shape[1])
    return penalty - float(told.sum()), gradient + slope


def _penalty(values: Floats, jurors: int) -> tuple[float, Floats]:
    pulled = np.full(values.size, RIDGE)
    pulled[2 * jurors : 3 * jurors] = ABSTAIN_RIDGE
    pulled[-1] = 0.0
    away = values.copy()
    away[:jurors] -= values[:jurors].mean()
    return 0.5 * float(pulled @ away**2), pulled * away


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
    weights = np.hstack([fitted.votes, fitted.alone, fitted.abstaining, fitted.abstain])
    scores: Floats = np.round(found.features() @ weights, 9).astype(np.float64)
    log_p, _ = log_posterior(scores, fitted.none_score, found)
    likely = np.where(found.members, priors, -1.0).max(axis=1)
    group = _group(found)
    ranked = np.lexsort((np.arange(scores.size), -likely, -scores, group))
    first: Bools = np.diff(group[ranked], prepend=-1) > 0
    return ranked[first], np.exp(log_p)
