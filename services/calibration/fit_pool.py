"""Learns from labelled votes how the jurors of a pool should be counted."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.calibration.artefact import ConfidenceMap, Declining, Gate, PoolFit
from services.calibration.logit_fit import Logit, fit_logit, predicted
from services.calibration.measures import auroc, cross_mapped, ece, platt
from services.calibration.threshold import promised
from services.calibration.votes import Bools, Floats, Votes, design, folds
from services.core.probability import MIN_LABELS

GATE_MARGIN: Final = 0.005
"""The vote may be worse than the best juror by this share of prompts at most ..."""
GATE_QUANTILE: Final = 0.05
"""... in all but this share of the bootstraps."""
BOOTSTRAPS: Final = 2000
PARTS: Final = 5
TOLD: Final = ("vote", "best", "heard", "sure", "best_sure", "stood")
"""Fields of `Unseen`, as they are collected."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """What fits say of prompts that they had not seen. All have shape (n,)."""

    vote: Bools
    """Whether the leader of the vote is right."""
    best: Bools
    """Whether the juror that was best on the other prompts is right."""
    heard: Bools
    """Whether that juror was heard: only there it can be held against the vote."""
    sure: Floats
    """P(correct) of the leader; 0 without any ballot."""
    best_sure: Floats
    """P(correct) of the class of that juror; the leader's where it gave no ballot."""
    stood: Bools
    """Whether that juror's class, or for want of one the leader, is right."""


def fit_pool(votes: Votes, *, seed: int = 0) -> PoolFit:
    """Fit weights, gate and confidence of one pool.

    With fewer than 50 labels nothing but the jurors' priors is learned.

    Parameters
    ----------
    votes : Votes
        Labelled votes; at least one.
    seed : int
        Of the inner folds and the bootstrap.

    Raises
    ------
    ValueError
        If there are no votes.

    Notes
    -----
    Gate and confidence go by inner cross-validation: each prompt is predicted
    by a fit on the others. The gate closes unless the 5 % quantile of the
    paired bootstrap of (vote - best juror), over the prompts on which that juror
    was heard, is above -0.5 points.
    """
    if not votes.keys:
        raise ValueError("a fit needs labelled votes")
    if len(votes.keys) < MIN_LABELS:
        return _by_priors(votes)
    unseen = cross_validated(votes, seed=seed)
    heard = unseen.heard
    low = lower_quantile(unseen.vote[heard], unseen.best[heard], seed=seed)
    closed = low <= -GATE_MARGIN
    sure = unseen.best_sure if closed else unseen.sure
    right = unseen.stood if closed else unseen.vote
    found = design(votes)
    fitted = fit_logit(found)
    return PoolFit(
        rule="logit",
        jurors=votes.jurors,
        weights=_told(fitted.votes),
        alone=_told(fitted.alone),
        abstaining=_told(fitted.abstaining),
        priors=_told(votes.priors),
        none_score=round(fitted.none_score, 6),
        abstain=round(fitted.abstain, 6),
        gate=Gate(closed, votes.jurors[votes.best], low, int(heard.sum())),
        confidence=platt(sure, right),
        n_labels=len(votes.keys),
        metrics=_metrics(votes, unseen, right, sure, seed=seed),
        declining=_declining(fitted) if found.declines.any() else None,
    )


def _declining(fitted: Logit) -> Declining:
    return Declining(round(fitted.decline, 6), _told(fitted.declining))


def _by_priors(votes: Votes) -> PoolFit:
    ones, none = (1.0,) * len(votes.jurors), (0.0,) * len(votes.jurors)
    return PoolFit(
        rule="log_odds",
        jurors=votes.jurors,
        weights=ones,
        alone=none,
        abstaining=none,
        priors=_told(votes.priors),
        none_score=0.0,
        abstain=0.0,
        gate=Gate(False, votes.jurors[votes.best], 0.0, 0),
        confidence=ConfidenceMap(),
        n_labels=len(votes.keys),
        metrics={"best_accuracy": _accuracy(votes, votes.best)},
    )


def _accuracy(votes: Votes, juror: int) -> float:
    heard = votes.heard[:, juror]
    return float(votes.right[heard, juror].mean()) if heard.any() else 0.0


def _told(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def cross_validated(votes: Votes, *, seed: int) -> Unseen:
    """Predict each prompt by a fit on the other parts."""
    n = len(votes.keys)
    part = folds(n, parts=PARTS, seed=seed)
    told = {name: np.zeros(n) for name in TOLD}
    for held in range(PARTS):
        known = votes.only(part != held)
        fitted = fit_logit(design(known))
        for name, values in _held_out(votes.only(part == held), fitted, known).items():
            told[name][part == held] = values
    vote, right, heard, stood = (told[n].astype(bool) for n in ("vote", "best", "heard", "stood"))
    return Unseen(vote, right, heard, told["sure"], told["best_sure"], stood)


def _held_out(votes: Votes, fitted: Logit, known: Votes) -> dict[str, Floats]:
    """Whom to believe where scores are equal, and who is best, comes from the known votes."""
    found, best = design(votes), known.best
    leaders, shares = predicted(found, fitted, known.priors)
    given = {int(found.prompt[c]): int(c) for c in np.flatnonzero(found.members[:, best])}
    told = {name: np.zeros(len(votes.keys)) for name in TOLD}
    told["best"] = votes.right[:, best].astype(np.float64)
    told["heard"] = votes.heard[:, best].astype(np.float64)
    for leader in leaders:
        i = int(found.prompt[leader])
        own = given.get(i, int(leader))
        told["vote"][i], told["sure"][i] = found.right[leader], shares[leader]
        told["stood"][i], told["best_sure"][i] = found.right[own], shares[own]
    return told


def lower_quantile(vote: Bools, best: Bools, *, seed: int) -> float:
    """5 % quantile of the paired bootstrap of the difference in accuracy; -1 without any pair.

    Examples
    --------
    >>> lower_quantile(np.ones(9, dtype=bool), np.zeros(9, dtype=bool), seed=0)
    1.0
    """
    return float(np.quantile(_bootstrapped(vote, best, seed=seed), GATE_QUANTILE))


def interval(vote: Bools, best: Bools, *, seed: int) -> tuple[float, float]:
    """95 % interval of the paired bootstrap of the difference in accuracy."""
    low, high = np.quantile(_bootstrapped(vote, best, seed=seed), (0.025, 0.975))
    return float(low), float(high)


def _bootstrapped(vote: Bools, best: Bools, *, seed: int) -> Floats:
    differences = vote.astype(np.float64) - best.astype(np.float64)
    n, rng = len(differences), np.random.default_rng(seed)
    if n == 0:
        return np.full(1, -1.0)
    counts = [float((differences == value).mean()) for value in (-1.0, 0.0, 1.0)]
    drawn = rng.multinomial(n, counts, size=BOOTSTRAPS)
    gains: Floats = (drawn[:, 2] - drawn[:, 0]) / n
    return gains


def _metrics(
    votes: Votes, unseen: Unseen, right: Bools, sure: Floats, *, seed: int
) -> dict[str, float]:
    mapped = cross_mapped(sure, right, folds(len(right), parts=PARTS, seed=seed))
    heard, theirs = unseen.heard, unseen.best[unseen.heard]
    low, high = interval(right[heard], theirs, seed=0)
    measured = {
        "accuracy": float(right.mean()),
        "vote_accuracy": float(unseen.vote.mean()),
        "best_accuracy": float(theirs.mean()) if theirs.size else 0.0,
        "oracle": float(votes.right.any(axis=1).mean()),
        "ece": ece(mapped, right),
        "gain": float(right[heard].mean() - theirs.mean()) if theirs.size else 0.0,
        "gain_low": low,
        "gain_high": high,
        "spread": float(mapped.std()),
        "coverage_20": promised(sure, right, alpha=0.2, delta=0.1).coverage,
    }
    area = auroc(mapped, right)
    return measured if area is None else {**measured, "auroc": area}
