"""How heads become one probability: what each weighs, Platt's map, how models err together. Pure."""

from dataclasses import replace
from typing import Final

import numpy as np

from services.routing.artefact import ModelFit
from services.routing.features import Floats
from services.routing.looked import sigmoid
from services.routing.predict import COLD

HEADS: Final = ("logistic", "clusters", "kernel")
TEMPERATURE: Final = 0.01
"""Of the softmax over the heads' log-losses that weighs them."""
SLOPE_RIDGE: Final = 5.0
"""Pulls the slope of the calibration to 1."""
CORRELATION: Final = 0.5
"""Of two models' errors as long as little is known; measured .3 to .5."""
PRIOR_ROWS: Final = 30.0
"""Rows that it counts for."""


def weighed(
    models: tuple[ModelFit, ...], heads: dict[str, Floats], labels: Floats
) -> tuple[ModelFit, ...]:
    """The blend of what the heads said of rows that they had not seen, by model calibrated."""
    told = np.stack([heads[head] for head in HEADS], axis=2)
    known = ~np.isnan(labels) & ~np.isnan(told).any(axis=2)
    if not known.any():
        return models
    share = head_weights(told[known], labels[known])
    return tuple(
        _calibrated(model, share, told[known[:, at], at], labels[known[:, at], at])
        for at, model in enumerate(models)
    )


def head_weights(told: Floats, y: Floats) -> Floats:
    """What each head weighs in the blend, by its log-loss; sum 1.

    Parameters
    ----------
    told : ndarray of float64, shape (n, heads)
        Log-odds of all labels of all models.
    y : ndarray of float64, shape (n,)
        Quality in [0, 1].

    Examples
    --------
    >>> head_weights(np.array([[2.0, 2.0], [-2.0, -2.0]]), np.array([1.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    losses = (np.logaddexp(0.0, told) - y[:, np.newaxis] * told).mean(axis=0)
    weights = np.exp((losses.min() - losses) / TEMPERATURE)
    found: Floats = weights / weights.sum()
    return found


def _calibrated(model: ModelFit, share: Floats, told: Floats, y: Floats) -> ModelFit:
    """The model with its blend, mapped to probabilities by Platt."""
    if len(y) < COLD:
        return replace(model, weights=dict(zip(HEADS, map(float, share.round(6)), strict=True)))
    slope, offset = platt_of(told @ share, y)
    weights = dict(zip(HEADS, map(float, (slope * share).round(6)), strict=True))
    return replace(model, weights=weights, offset=round(offset, 6))


def platt_of(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and offset of the logistic map from log-odds to quality; slope >= 0.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        Log-odds.
    y : ndarray of float64, shape (n,)
        Quality in [0, 1].

    References
    ----------
    .. [1] J. Platt. Probabilistic Outputs for Support Vector Machines. 1999.

    Examples
    --------
    >>> slope, offset = platt_of(np.array([-1.0, 1.0] * 500), np.array([0.25, 0.75] * 500))
    >>> round(slope, 1), round(offset, 1)
    (1.1, 0.0)
    """
    table, at, start = np.stack([x, np.ones(x.size)], axis=1), np.array([1.0, 0.0]), [1.0, 0.0]
    ridge = np.array([SLOPE_RIDGE, 0.01])
    for _ in range(30):
        p = sigmoid(table @ at)
        bent = table.T @ (table * (p * (1.0 - p))[:, np.newaxis]) + np.diag(ridge)
        step = np.linalg.solve(bent, table.T @ (y - p) - ridge * (at - start))
        at = at + np.clip(step, -1.0, 1.0)
    return max(0.0, float(at[0])), float(at[1])


def error_correlation(errors: Floats) -> Floats:
    """How far models err together, drawn to `CORRELATION` where few rows tell of both.

    Parameters
    ----------
    errors : ndarray of float64, shape (n, m)
        Outcome less prediction; NaN: no label.

    Returns
    -------
    ndarray of float64, shape (m, m)
        Symmetric, in [-1, 1], ones on the diagonal.

    Examples
    --------
    >>> error_correlation(np.array([[0.5, np.nan]] * 3))
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    known = ~np.isnan(errors)
    counts = np.maximum(1, known.sum(axis=0))
    mean = np.where(known, errors, 0.0).sum(axis=0) / counts
    each = np.where(known, errors - mean, 0.0)
    both = known.astype(np.float64).T @ known
    products, squares = each.T @ each, (each**2).T @ known
    size = np.sqrt(squares * squares.T)
    raw = np.divide(products, size, out=np.zeros_like(size), where=size > 0.0)
    found: Floats = (both * raw + PRIOR_ROWS * CORRELATION) / (both + PRIOR_ROWS)
    np.fill_diagonal(found, 1.0)
    return np.clip(found, -1.0, 1.0)
