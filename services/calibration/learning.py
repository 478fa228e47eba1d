"""Fits all that labelled outcomes can teach: pools, judges, thresholds."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from services.calibration.artefact import Calibration, JudgeFit, PoolFit
from services.calibration.fit_judge import fit_judge, fit_panel
from services.calibration.fit_pool import fit_pool
from services.calibration.outcomes import Outcome
from services.calibration.support import with_support
from services.calibration.votes import votes_of
from services.core.probability import MIN_LABELS

MOST_OPEN: Final = 0.05
"""Share of votes that may be left out because nobody knows who was right: they are those that went
wrong, so that without them all others look better than they are."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Learned:
    """A calibration, and what it could not be given."""

    calibration: Calibration
    refused: Mapping[str, str]
    """By pool or judge: why it stays uncalibrated, with the counts."""


def learn(
    outcomes: Sequence[Outcome],
    *,
    created: str,
    promises: Sequence[tuple[float, float]],
    tell: Tell,
    seed: int = 0,
) -> Learned:
    """Fit every pool and judge that has labels; `tell` is called before each.

    Parameters
    ----------
    outcomes : sequence of Outcome
    created : str
        Now, ISO 8601 in UTC.
    promises : sequence of (float, float)
        Alpha and delta of each threshold.
    """
    refused: dict[str, str] = {}
    pools = _pools(outcomes, refused, tell, seed)
    judges = _judges(outcomes, pools, refused, tell, promises=promises, seed=seed)
    calibration = Calibration(
        created=created, data_sha256=digest(outcomes), pools=pools, judges=judges
    )
    return Learned(calibration, refused)


def digest(outcomes: Iterable[Outcome]) -> str:
    """SHA-256 of the outcomes, whatever their order and wherever they come from."""
    lines = sorted(json.dumps(asdict(each), sort_keys=True) for each in outcomes)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _pools(
    outcomes: Sequence[Outcome], refused: dict[str, str], tell: Tell, seed: int
) -> dict[str, PoolFit]:
    fits = {}
    by_pool = _grouped(outcomes)
    for nth, (name, rows) in enumerate(by_pool.items(), start=1):
        tell(f"pool {nth} of {len(by_pool)}: {name}, {len(rows)} votes")
        labelled = [row for row in rows if row.right is not None]
        if why := _unfit(rows, labelled):
            refused[name] = why
            continue
        fits[name] = fit_pool(votes_of(labelled, _jurors(labelled)), seed=seed)
        if not fits[name].calibrated:
            refused[name] = f"{len(labelled)} labels; {MIN_LABELS} are needed"
    return fits


def _grouped(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """By pool, each in the order of its ids."""
    found: dict[str, list[Outcome]] = {}
    for each in sorted(outcomes, key=lambda outcome: (outcome.pool, outcome.id)):
        found.setdefault(each.pool, []).append(each)
    return found


def _jurors(rows: Iterable[Outcome]) -> list[str]:
    return sorted({juror for row in rows for juror in row.keys})


def _unfit(rows: Sequence[Outcome], labelled: Sequence[Outcome]) -> str:
    """Why nothing honest can be learned of these; empty when it can."""
    unknown = len(rows) - len(labelled)
    if unknown > MOST_OPEN * len(rows):
        return (
            f"of {unknown} of {len(rows)} votes it is known that an answer was wrong, but not what"
            f" was right; say so for all but {int(MOST_OPEN * len(rows))} of them (`expected` of a"
            " feedback, `gold` of a line)"
        )
    if not any(key for row in labelled for key in row.keys.values()):
        return f"0 labels of ballots; {MIN_LABELS} are needed"
    return ""


def _judges(
    outcomes: Sequence[Outcome],
    pools: Mapping[str, PoolFit],
    refused: dict[str, str],
    tell: Tell,
    *,
    promises: Sequence[tuple[float, float]],
    seed: int,
) -> dict[str, JudgeFit]:
    fits = {}
    audited = [each for each in outcomes if each.signals and each.right is not None]
    for name in sorted({each.ensemble for each in audited}):
        rows = [each for each in audited if each.ensemble == name]
        tell(f"judge of {name}: {len(rows)} verdicts")
        try:
            fits[name] = _judge(rows, pools, promises=promises, seed=seed)
        except ValueError as err:
            refused[f"judge of {name}"] = str(err)
            continue
        if not fits[name].calibrated:
            needed = f"{fits[name].n_labels} labels; {MIN_LABELS} are needed"
            refused[f"judge of {name}"] = needed
    return fits


def _judge(
    rows: Sequence[Outcome],
    pools: Mapping[str, PoolFit],
    *,
    promises: Sequence[tuple[float, float]],
    seed: int,
) -> JudgeFit:
    told = with_support(rows, pools, seed=seed)
    ok = np.array([bool((row.right or {}).get(row.audited)) for row, _ in told], dtype=bool)
    return fit_judge(
        [signals for _, signals in told],
        ok,
        judges=_reliabilities(rows),
        promises=promises,
        seed=seed,
    )


def _reliabilities(rows: Iterable[Outcome]) -> dict[str, tuple[float, float]]:
    """By judge: its weight in comparisons where one of two answers was right, and unclipped."""
    pairs = [
        (each, right[each.first])
        for row in rows
        if (right := row.right or {})
        for each in row.compared
        if right[each.first] != right[each.second]
    ]
    names = sorted({name for each, _ in pairs for name in each.scores})
    if len(pairs) < MIN_LABELS:
        return {}
    scores = np.array([[each.scores.get(name, np.nan) for name in names] for each, _ in pairs])
    panel = fit_panel(scores, np.array([first for _, first in pairs], dtype=bool))
    weights = zip(panel.reliabilities, panel.raw, strict=True)
    return {name: (float(a), float(b)) for name, (a, b) in zip(names, weights, strict=True)}
