"""Draws accuracy over cost."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

MARKS = {"model": ("o", "#4c72b0"), "pattern": ("D", "#c44e52"), "oracle": ("*", "#55a868")}
NAMES = {"model": "one model", "pattern": "Gremium", "oracle": "oracle"}


GAP = 4.0
"""Least distance between two names, in points of accuracy."""


def draw(lines: Sequence[Mapping[str, Any]], path: pathlib.Path, *, questions: int) -> None:
    """Write a PNG: one mark per line, cost on a logarithmic axis, names in a column beside it."""
    figure, axes = plt.subplots(figsize=(11, 6), layout="constrained")
    for kind, (mark, color) in MARKS.items():
        group = [line for line in lines if line["kind"] == kind]
        costs = [1000 * line["usd"] / questions for line in group]
        shares = [100 * line["accuracy"] for line in group]
        axes.scatter(costs, shares, marker=mark, c=color, s=90, label=NAMES[kind], zorder=3)
    for line, height in zip(ranked(lines), heights(lines), strict=True):
        cost, share = 1000 * line["usd"] / questions, 100 * line["accuracy"]
        axes.annotate(
            f"{line['who']}  {share:.1f} %, ${cost:.2f}",
            (cost, share),
            xytext=(1.03, height / 100),
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
    axes.set(xscale="log", ylim=(0, 100), ylabel="right answers, %")
    axes.set_xlabel("USD per 1,000 questions, as recorded")
    axes.set_title(f"SimpleQA, {questions} questions, six recorded models of 2026")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def ranked(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Best first; of equals the cheaper."""
    return sorted(lines, key=lambda line: (-line["accuracy"], line["usd"]))


def heights(lines: Sequence[Mapping[str, Any]]) -> list[float]:
    """Where the names of the ranked lines stand, in [0, 100]: near their marks, one below another.

    Examples
    --------
    >>> heights([{"accuracy": 0.7, "usd": 1}, {"accuracy": 0.7, "usd": 2}])
    [70.0, 66.0]
    """
    found: list[float] = []
    for line in ranked(lines):
        share = 100 * line["accuracy"]
        found.append(min(share, found[-1] - GAP) if found else share)
    return found
