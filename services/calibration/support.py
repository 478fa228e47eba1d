"""What the vote says for an audited answer, by fits that had not seen its prompt."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from services.calibration.artefact import ConfidenceMap, PoolFit
from services.calibration.fit_pool import PARTS
from services.calibration.logit_fit import fit_logit, predicted
from services.calibration.outcomes import Outcome
from services.calibration.votes import Floats, Votes, design, folds, votes_of
from services.core.probability import log_odds, sigmoid

SUPPORT: Final = "support"
"""Name of the signal."""

Told = list[tuple[Outcome, dict[str, float]]]


def with_support(rows: Sequence[Outcome], pools: Mapping[str, PoolFit], *, seed: int) -> Told:
    """The rows with their signals, `support` as it will be once these pools are in use.

    A row whose answer the pool would not have chosen is left out: nobody would
    have audited it.
    """
    told: Told = []
    for pool in sorted({row.pool for row in rows}):
        own = [row for row in rows if row.pool == pool]
        fit = pools.get(pool)
        if fit is None or not fit.calibrated:
            told.extend((row, dict(row.signals)) for row in own)
            continue
        sure = chosen_support(own, fit, seed=seed)
        told.extend(
            (row, {**row.signals, SUPPORT: float(p)})
            for row, p in zip(own, sure, strict=True)
            if not np.isnan(p)
        )
    return told


def chosen_support(rows: Sequence[Outcome], fit: PoolFit, *, seed: int) -> Floats:
    """Calibrated P(correct) of each audited answer; NaN where another one would be chosen."""
    votes = votes_of(rows, fit.jurors)
    part = folds(len(rows), parts=PARTS, seed=seed)
    sure = np.full(len(rows), np.nan)
    for held in range(PARTS):
        chosen = part == held
        if not chosen.any():
            continue
        own = [row for row, is_in in zip(rows, chosen, strict=True) if is_in]
        sure[chosen] = _held_out(votes.only(chosen), own, votes.only(~chosen), fit)
    return sure


def _held_out(votes: Votes, rows: Sequence[Outcome], others: Votes, fit: PoolFit) -> Floats:
    found = design(votes)
    leaders, shares = predicted(found, fit_logit(design(others)), np.array(fit.priors))
    best = fit.jurors.index(fit.gate.best)
    sure = np.full(len(rows), np.nan)
    for leader in leaders:
        i = int(found.prompt[leader])
        stands = int(leader)
        if fit.gate.closed and votes.keys[i][best]:
            own = np.flatnonzero((found.prompt == i) & found.members[:, best])
            stands = int(own[0])
        if found.members[stands, fit.jurors.index(rows[i].audited)]:
            sure[i] = mapped(float(shares[stands]), fit.confidence)
    return sure


def mapped(share: float, confidence: ConfidenceMap) -> float:
    """P(correct) of a posterior.

    Examples
    --------
    >>> round(mapped(0.8, ConfidenceMap()), 6)
    0.8
    """
    return sigmoid(confidence.slope * log_odds(share) + confidence.offset)
