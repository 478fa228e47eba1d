"""Answers with signals, fused on training folds and told apart on the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.calibration.fit_judge import fit_fusion, probabilities
from services.calibration.measures import auroc
from services.calibration.votes import Bools, Floats, folds

PARTS, SEED, BOOTSTRAPS = 5, 0, 2000


@dataclass(frozen=True)
class Answers:
    """What is told apart."""

    signals: Sequence[Mapping[str, float]]
    ok: Bools
    groups: Sequence[str]
    """Document or question; a group is never split between folds."""


@dataclass(frozen=True)
class Told:
    """Of answers that the fit had not seen. Shape (n,)."""

    p_ok: Floats
    accepted: Bools
    """At the training folds' share of answers that are right."""


def told_apart(answers: Answers, names: Sequence[str] = ()) -> Told:
    """Five folds by group; only signals in `names` where any are named."""
    signals = [{k: v for k, v in s.items() if not names or k in names} for s in answers.signals]
    groups, at = np.unique(np.array(answers.groups), return_inverse=True)
    part = folds(len(groups), parts=PARTS, seed=SEED)[at]
    p_ok, accepted = np.zeros(len(at)), np.zeros(len(at), dtype=bool)
    for held in range(PARTS):
        known, unseen = np.flatnonzero(part != held), np.flatnonzero(part == held)
        fitted = fit_fusion([signals[i] for i in known], answers.ok[known])
        p_ok[unseen] = probabilities(fitted, [signals[i] for i in unseen])
        accepted[unseen] = p_ok[unseen] >= answers.ok[known].mean()
    return Told(p_ok, accepted)


def balanced(told: Told, ok: Bools) -> float:
    """Mean of the shares of right ones accepted and of wrong ones not."""
    return 50 * float(told.accepted[ok].mean() + (~told.accepted[~ok]).mean())


def area(told: Told, ok: Bools) -> float:
    """The chance that a right one is surer than a wrong one, 0.5 where all are alike."""
    return auroc(told.p_ok, ok) or 0.5


def interval(answers: Answers, ours: Told, theirs: Told, *, by_area: bool) -> tuple[float, float]:
    """90 % interval of the difference, by bootstraps of whole groups."""
    measure = area if by_area else balanced
    groups, at = np.unique(np.array(answers.groups), return_inverse=True)
    members = [np.flatnonzero(at == g) for g in range(len(groups))]
    rng, gaps = np.random.default_rng(SEED), []
    for _ in range(BOOTSTRAPS):
        drawn = rng.integers(len(members), size=len(members))
        rows = np.concatenate([members[g] for g in drawn])
        ok = answers.ok[rows]
        one, other = (Told(t.p_ok[rows], t.accepted[rows]) for t in (ours, theirs))
        gaps.append(measure(one, ok) - measure(other, ok))
    low, high = np.quantile(gaps, [0.05, 0.95])
    return float(low), float(high)
