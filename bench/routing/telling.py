"""Figures of several splits as rows of the table; what was tried where a cell is not reached."""

from collections.abc import Sequence

import numpy as np

from bench.decisions import Row
from bench.routing.pairs import Figures, figures, splits
from services.routing.rows import Rows

ECE_REACH = 0.03
BASELINES = ("random", "domain prior", "kNN", "oracle")
HEADS = ("logistic", "clusters", "kernel")


def apgr_row(
    name: str, found: Sequence[Figures], reach: float | None, every: Rows, curve_at: Sequence[int]
) -> Row:
    """APGR beside that of length; the others stand in the note.

    Where nothing is published that of length is to be reached.
    """
    ours, length = apgr(found, "ours"), apgr(found, "length")
    wanted = length if reach is None else reach
    interval = np.nanmean([each.interval for each in found], axis=0)
    note = _note(found)
    if ours < wanted:
        sizes = [size for size in curve_at if size <= len(every) // 2]
        note += f"; short of it: {_shortfall(found, every, sizes)}"
    return Row(
        f"{name}: APGR",
        ours,
        length,
        wanted,
        ours >= wanted,
        note,
        (float(interval[0]), float(interval[1])),
    )


def ece_row(name: str, found: Sequence[Figures]) -> Row:
    """Calibration error of the adequacies beside what chance alone gives a true predictor."""
    errors = np.array([each.ece for each in found])
    allowed = np.maximum(ECE_REACH, np.array([each.perfect for each in found]))
    return Row(
        f"{name}: ECE",
        float(errors.mean()),
        float(np.mean([each.perfect for each in found])),
        float(allowed.mean()),
        bool(errors.mean() <= allowed.mean()),
        f"baseline: 95 % quantile of a perfect predictor; {(errors <= allowed).mean():.0%} of the"
        f" splits and models keep their own; worst {errors.max():.3f}",
    )


def apgr(found: Sequence[Figures], name: str) -> float:
    """Mean over the splits in whose test prompts the strong model is the better one."""
    return float(np.nanmean([each.curves[name].apgr for each in found]))


def _note(found: Sequence[Figures]) -> str:
    ours = [each.curves["ours"] for each in found]
    beside = [name for name in BASELINES if name in found[0].curves]
    told = apgr(found, "domain told")
    return (
        f"{len(found)} splits, ± {np.nanstd([each.apgr for each in ours]):.3f}; baseline: length; "
        + ", ".join(f"{name} {apgr(found, name):.3f}" for name in beside)
        + f"; CPT50 {100 * np.nanmean([each.cpt(0.5) for each in ours]):.1f} %"
        f", CPT80 {100 * np.nanmean([each.cpt(0.8) for each in ours]):.1f} %"
        f", PGR at half of the calls {np.nanmean([each.pgr(0.5) for each in ours]):.3f}"
        f"; interval: 95 %; {sum(each.dropped for each in found)} test rows seen in training left"
        f" out; no domain told of test rows (told: {told:.3f}); trained on test outcomes, so not comparable to RouteLLM's own"
    )


def _shortfall(found: Sequence[Figures], every: Rows, curve_at: Sequence[int]) -> str:
    """Other methods, the learning curve, the way to the oracle."""
    tried = ", ".join(f"{name} {apgr(found, name):.3f}" for name in (*HEADS, "kNN"))
    learned = [
        f"{size:,}: {apgr([figures(each) for each in splits(every, size, [0])], 'ours'):.3f}"
        for size in sorted(curve_at)
    ]
    away = apgr(found, "oracle") - apgr(found, "ours")
    return f"alone {tried}; by labels {', '.join(learned)}; the oracle is {away:.3f} away"
