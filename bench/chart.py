"""Draws accuracy over cost."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

MARKS = {"model": ("o", "#4c72b0"), "pattern": ("D", "#c44e52"), "oracle": ("*", "#55a868")}
SIZES = {"model": 170, "pattern": 50, "oracle": 150}
"""A pattern's mark lies within that of a model that did as well for as much."""
NAMES = {"model": "one model", "pattern": "Gremium", "oracle": "oracle"}


GAP = 4.0
"""Least distance between two names, in points of accuracy."""
LOWEST, HIGHEST = -3.0, 103.0
"""Ends of the axis: a mark at 0 or 100 % is whole."""


def draw(lines: Sequence[Mapping[str, Any]], path: pathlib.Path, *, questions: int) -> None:
    """Write a PNG: one mark per line, cost on a logarithmic axis, names in a column beside it."""
    figure = drawn(lines, questions=questions)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def drawn(lines: Sequence[Mapping[str, Any]], *, questions: int) -> Figure:
    figure, axes = plt.subplots(figsize=(11, 6.5), layout="constrained")
    _marks(axes, lines, questions)
    _names(axes, lines, questions)
    axes.set(xscale="log", ylim=(LOWEST, HIGHEST), ylabel="right answers, %")
    axes.set_xlabel("USD per 1,000 questions, as recorded")
    axes.set_title(f"SimpleQA, {questions} questions, six recorded models of 2026")
    axes.grid(visible=True, which="major", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=len(MARKS), frameon=False)
    return figure


def _marks(axes: Axes, lines: Sequence[Mapping[str, Any]], questions: int) -> None:
    for kind, (mark, color) in MARKS.items():
        group = [line for line in lines if line["kind"] == kind]
        costs = [1000 * line["usd"] / questions for line in group]
        shares = [100 * line["accuracy"] for line in group]
        axes.scatter(
            costs,
            shares,
            marker=mark,
            c=color,
            s=SIZES[kind],
            label=NAMES[kind],
            edgecolors="white",
            linewidths=0.8,
            zorder=3,
        )


def _names(axes: Axes, lines: Sequence[Mapping[str, Any]], questions: int) -> None:
    for line, height in zip(ranked(lines), heights(lines), strict=True):
        cost, share = 1000 * line["usd"] / questions, 100 * line["accuracy"]
        axes.annotate(
            f"{line['who']}  {share:.1f} %, ${cost:.2f}",
            (cost, share),
            xytext=(1.03, (height - LOWEST) / (HIGHEST - LOWEST)),
            textcoords="axes fraction",
            va="center",
            fontsize=9,
            color=MARKS[line["kind"]][1],
            arrowprops={
                "arrowstyle": "-",
                "relpos": (0.0, 0.5),
                "color": "#bbbbbb",
                "linewidth": 0.6,
            },
        )


def ranked(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Best first; of equals the dearer, so that the lines to their marks do not cross."""
    return sorted(lines, key=lambda line: (-line["accuracy"], -line["usd"]))


def heights(lines: Sequence[Mapping[str, Any]]) -> list[float]:
    """Where the names of the ranked lines stand: near their marks, one below another, none below 0.

    Examples
    --------
    >>> heights([{"accuracy": 0.7, "usd": 1}, {"accuracy": 0.7, "usd": 2}])
    [70.0, 66.0]
    >>> heights([{"accuracy": 0.0, "usd": 1}, {"accuracy": 0.0, "usd": 2}])
    [4.0, 0.0]
    """
    found: list[float] = []
    below = len(lines)
    for line in ranked(lines):
        below -= 1
        height = max(100 * line["accuracy"], GAP * below)
        found.append(min(height, found[-1] - GAP) if found else height)
    return found
