"""Draws how recorded pools decide: accuracy, gain over the best juror, reliability of P(correct)."""

import pathlib
from collections.abc import Sequence

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from bench.decisions import PoolFigure

BEST, PLAIN, OURS, ORACLE = "#4c72b0", "#8c8c8c", "#c44e52", "#55a868"
PER_POOL = 0.45
"""Inches of height for each pool."""
APART = 0.2
"""Rows between marks that would hide each other."""


def draw(pools: Sequence[PoolFigure], path: pathlib.Path) -> None:
    """Write a PNG; pools stand in the order that they were measured in, the first on top."""
    figure, (level, gain, sure) = plt.subplots(
        1,
        3,
        figsize=(17, max(5.5, 2.0 + PER_POOL * len(pools))),
        width_ratios=(1.15, 0.85, 1.0),
        layout="constrained",
    )
    _accuracies(level, pools)
    _gains(gain, pools)
    _reliability(sure, pools)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _accuracies(axes: plt.Axes, pools: Sequence[PoolFigure]) -> None:
    rows = range(len(pools))
    for shares, off, mark, color, label in (
        ([pool.oracle for pool in pools], 0.0, "*", ORACLE, "oracle: any juror is right"),
        ([pool.best for pool in pools], -APART, "o", BEST, "best juror of the training folds"),
        ([pool.plain for pool in pools], APART, "X", PLAIN, "plurality"),
        ([pool.ours for pool in pools], 0.0, "D", OURS, "ours"),
    ):
        heights = [row + off for row in rows]
        axes.scatter(shares, heights, marker=mark, c=color, s=55, label=label, zorder=3)
    for row, pool in enumerate(pools):
        known = (pool.ours, pool.best, pool.plain, pool.oracle)
        axes.plot([min(known), max(known)], [row, row], color="#dddddd", lw=1.5, zorder=1)
    axes.set_yticks(rows, [f"{pool.name}  ({pool.prompts:,})" for pool in pools])
    axes.set(xlabel="right answers, %", title="Accuracy by pool (prompts)")
    _finish(axes, len(pools))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.24), ncols=2, frameon=False)


def _gains(axes: plt.Axes, pools: Sequence[PoolFigure]) -> None:
    for row, pool in enumerate(pools):
        low, high = pool.gain
        middle = pool.ours - pool.best
        axes.plot([low, high], [row, row], color=OURS, lw=2.5, solid_capstyle="butt", zorder=2)
        axes.scatter([middle], [row], marker="D", c=OURS, s=55, zorder=3)
        axes.scatter([pool.plain - pool.best], [row + APART], marker="X", c=PLAIN, s=45, zorder=2)
        note = (
            f"{middle:+.1f}, gate closed {pool.closed}/{pool.folds}"
            if pool.closed
            else f"{middle:+.1f}"
        )
        axes.annotate(
            note, (max(high, middle), row), xytext=(8, 0), textcoords="offset points", va="center",
            fontsize=9, color=OURS,
        )  # fmt: skip
    axes.axvline(0.0, color=BEST, lw=1.2, zorder=1)
    axes.set_yticks(range(len(pools)), [])
    axes.set_xlim(_reach(pools))
    axes.set(
        xlabel="points, with 90 % interval (paired bootstrap)", title="Gain over the best juror"
    )
    _finish(axes, len(pools))


def _reach(pools: Sequence[PoolFigure]) -> tuple[float, float]:
    """Limits that hold all intervals and the words beside them; a worse plurality is cut off."""
    low = min(min(pool.gain[0], pool.plain - pool.best) for pool in pools)
    high = max(pool.gain[1] for pool in pools)
    return max(low, -15.0) - 1.0, high + 6.0


def _finish(axes: plt.Axes, rows: int) -> None:
    axes.set_ylim(rows - 0.5, -0.5)
    axes.grid(visible=True, axis="x", alpha=0.3)


def _reliability(axes: plt.Axes, pools: Sequence[PoolFigure]) -> None:
    axes.plot([0, 1], [0, 1], color="#444444", lw=1, ls="--", label="perfect")
    colors = plt.get_cmap("tab20")
    for nth, pool in enumerate(pools):
        told, seen = [b[0] for b in pool.bins], [b[1] for b in pool.bins]
        axes.plot(
            told, seen, marker="o", ms=5, lw=0.7, color=colors(nth % 20), label=pool.name, alpha=0.8
        )
    axes.set(
        xlim=(0, 1), ylim=(0, 1), aspect="equal",
        xlabel="P(correct) as told, mean of each bin", ylabel="share that was right",
        title="Reliability of P(correct), equal-mass bins",
    )  # fmt: skip
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="lower right", fontsize=8, frameon=False)
