"""Draws latency, goodput and memory of a soak over time; bench/overload_chart.py uses its parts."""

import pathlib
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from matplotlib import pyplot as plt

from bench.soak_load import ANSWERED, LEFT, WITHOUT_A_STAGE, Got
from bench.soak_watch import Sample, by_service

BINS = 120


def draw(got: Sequence[Got], samples: Sequence[Sample], path: pathlib.Path) -> None:
    """Write a PNG: latency of the answers, answers per second, memory of each service."""
    figure, (late, good, held) = plt.subplots(
        3, 1, figsize=(11, 10), sharex=True, layout="constrained"
    )
    answered = [each for each in got if each.what in {ANSWERED, WITHOUT_A_STAGE}]
    latency(late, answered, title="Soak: mixed faults, early stops", unit_s=60.0)
    goodput(good, answered, got, unit_s=60.0)
    for service, series in by_service(samples).items():
        held.plot(
            [s.at_s / 60 for s in series], [s.rss / 2**20 for s in series], label=service, lw=1.2
        )
    held.set(ylabel="resident memory, MiB", xlabel="minutes", ylim=(0, None))
    held.legend(ncols=5, loc="lower right")
    for axes in (late, good, held):
        axes.grid(visible=True, alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def latency(axes: plt.Axes, answered: Sequence[Got], *, title: str, unit_s: float) -> None:
    """Draw the median and the 99th percentile over time, told in units of so many seconds."""
    edges = _edges(answered)
    places = np.digitize([each.at_s for each in answered], edges) - 1
    took = np.array([1000 * each.took_s for each in answered])
    middles = (edges[:-1] + edges[1:]) / 2 / unit_s
    for percent, color in ((50, "#4c72b0"), (99, "#c44e52")):
        cut = [
            np.percentile(took[places == nth], percent) if (places == nth).any() else np.nan
            for nth in range(len(middles))
        ]
        axes.plot(middles, cut, color=color, label=f"p{percent}", lw=1.2)
    axes.set(ylabel="latency of answers, ms", yscale="log", title=title)
    axes.legend(loc="upper right")


def goodput(axes: plt.Axes, answered: Sequence[Got], got: Sequence[Got], *, unit_s: float) -> None:
    """Draw answers and failures a second over time, told in units of so many seconds."""
    edges = _edges(got)
    middles, width_s = (edges[:-1] + edges[1:]) / 2 / unit_s, edges[1] - edges[0]
    for group, label, color in (
        (answered, "answered", "#55a868"),
        ([g for g in got if g.what not in {ANSWERED, WITHOUT_A_STAGE, LEFT}], "failed", "#c44e52"),
    ):
        counts, _ = np.histogram([each.at_s for each in group], edges)
        axes.plot(middles, counts / width_s, color=color, label=label, lw=1.2)
    axes.set(ylabel="requests per second", ylim=(0, None))
    axes.legend(loc="lower right")


def _edges(got: Sequence[Got]) -> np.ndarray:
    end_s = max((each.at_s for each in got), default=1.0)
    return np.linspace(0.0, max(end_s, 1.0), min(BINS, max(4, int(end_s))) + 1)
