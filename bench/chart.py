"""Draws accuracy over cost."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

MARKS = {"model": ("o", "#4c72b0"), "pattern": ("D", "#c44e52"), "oracle": ("*", "#55a868")}
NAMES = {"model": "one model", "pattern": "Gremium", "oracle": "oracle"}


def draw(lines: Sequence[Mapping[str, Any]], path: pathlib.Path, *, questions: int) -> None:
    """Write a PNG: one mark per line, cost on a logarithmic axis."""
    figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
    for kind, (mark, color) in MARKS.items():
        group = [line for line in lines if line["kind"] == kind]
        costs = [1000 * line["usd"] / questions for line in group]
        shares = [100 * line["accuracy"] for line in group]
        axes.scatter(costs, shares, marker=mark, c=color, s=90, label=NAMES[kind], zorder=3)
        for line, cost, share in zip(group, costs, shares, strict=True):
            axes.annotate(
                line["who"], (cost, share), xytext=(8, 5), textcoords="offset points", fontsize=9
            )
    axes.set_xscale("log")
    axes.set_ylim(0, 100)
    axes.margins(x=0.18)
    axes.set_xlabel("USD per 1,000 questions, as recorded")
    axes.set_ylabel("right answers, %")
    axes.set_title(f"SimpleQA, {questions} questions, six recorded models of 2026")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=130)
    plt.close(figure)
