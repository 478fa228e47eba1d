"""How often the promise "accepted answers are wrong at most so often" is broken.

The rule is the one that serves, on P(correct) of the vote: no judge's signals were recorded of these
answers, so that P(ok), which a promise goes by when served, would be a map of P(correct) alone.
"""

import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from bench.decisions import Row, SkippedError, apart
from bench.decisions.counted import chosen
from bench.decisions.pools import READERS, TITLES, Pool, small5, whole_pool
from bench.recordings import files, recording, stem
from services.calibration.fit_pool import fit_pool
from services.calibration.threshold import promised, upper_bound
from services.calibration.votes import Bools, Floats, folds

DELTA, LABELS, SPLITS, SEED = 0.1, 500, 200, 0
FEWEST = 3_000
"""Prompts: besides the labels a thousand have to be left, for what is broken is judged by these."""
COVERAGE = 0.44
"""Reached at a risk of 30 %."""


@dataclass(frozen=True)
class Kept:
    """Over all splits."""

    broken: float
    coverage: float
    """Mean share of answers that are accepted."""
    none: int
    """Splits in which nothing can be promised."""


def rows(data: pathlib.Path) -> Iterator[Row]:
    """Of the published pool and of every other one that is large enough."""
    yield from apart([partial(_known, data), *(partial(_other, each) for each in _others(data))])


def _known(data: pathlib.Path) -> Iterator[Row]:
    pool = small5(data)
    yield from _rows(pool, COVERAGE if pool.is_published else 0.0)


def _others(data: pathlib.Path) -> Iterator[Callable[[], Pool]]:
    """Pools of all jurors of recordings that no table is about."""
    for path in files(data, *READERS):
        if stem(path) not in TITLES and len(recording(path).rows) >= FEWEST:
            yield whole_pool(path)


def _other(read: Callable[[], Pool]) -> Iterator[Row]:
    yield from _rows(read(), 0.0)


def _rows(pool: Pool, coverage: float) -> Iterator[Row]:
    """Weights come from one half of the prompts; labels and test from the other."""
    n = len(pool.votes.keys)
    if n < FEWEST:
        raise SkippedError(f"{pool.name} has {n} prompts; a promise is tried on {FEWEST}")
    half = folds(n, parts=2, seed=SEED)
    fit = fit_pool(pool.votes.only(half == 0), seed=SEED)
    sure, right = chosen(pool, np.flatnonzero(half == 1), fit)
    for alpha, reach in ((0.3, coverage), (0.2, 0.0)):
        yield _row(pool.name, sure, right, alpha, reach)


def _row(name: str, sure: Floats, right: Bools, alpha: float, coverage: float) -> Row:
    ours, naive = (_kept(sure, right, alpha, naive=naive) for naive in (False, True))
    low = 1.0 - upper_bound(SPLITS - round(ours.broken * SPLITS), SPLITS, 0.025)
    high = upper_bound(round(ours.broken * SPLITS), SPLITS, 0.025)
    return Row(
        f"promise of {alpha:.0%} risk broken, {name}, share of splits",
        100 * ours.broken,
        100 * naive.broken,
        100 * DELTA,
        low <= DELTA and ours.coverage >= coverage,
        f"95 % interval {100 * low:.1f} … {100 * high:.1f}; coverage {100 * ours.coverage:.1f} % "
        f"(at least {100 * coverage:.0f}); {LABELS} labels, {sure.size - LABELS:,} others, {SPLITS} splits, "
        f"nothing promised in {ours.none}; baseline: the loosest threshold that the labels allow",
    )


def _kept(sure: Floats, right: Bools, alpha: float, *, naive: bool) -> Kept:
    broken, covered, none = 0, 0.0, 0
    for seed in range(SPLITS):
        order = np.random.default_rng(seed).permutation(sure.size)
        known, unseen = order[:LABELS], order[LABELS:]
        if naive:
            value = _naive(sure[known], right[known], alpha)
        else:
            value = promised(sure[known], right[known], alpha=alpha, delta=DELTA).value
        if value is None:
            none += 1
            continue
        accepted = sure[unseen] >= value - 1e-9
        covered += float(accepted.mean())
        broken += bool((~right[unseen][accepted]).mean() > alpha)
    return Kept(broken / SPLITS, covered / SPLITS, none)


def _naive(sure: Floats, right: Bools, alpha: float) -> float | None:
    """The loosest threshold at which the labels themselves are wrong at most `alpha`."""
    values = np.unique(sure)
    kept = [v for v in values if (~right[sure >= v]).mean() <= alpha]
    return float(kept[0]) if kept else None
