"""Draws latency and goodput of an overload over time, as soak_chart does of a soak."""

import pathlib
from collections.abc import Sequence
from typing import Protocol

from matplotlib import pyplot as plt

from bench.soak_chart import goodput, latency
from bench.soak_load import Got


class Asked(Protocol):
    """What became of a request."""

    at_s: float
    """When it was sent, on any clock."""
    took_s: float
    status: str
    """`OK`, or the name of a gRPC status."""


def draw(asked: Sequence[Asked], path: pathlib.Path, *, capacity: float) -> None:
    """Write a PNG: latency of the answers, and answers and refusals per second beside the capacity."""
    got = ended(asked)
    answered = [each for each in got if each.what == "answered"]
    figure, (late, good) = plt.subplots(2, 1, figsize=(11, 7), sharex=True, layout="constrained")
    latency(late, answered, title="Overload: five times the capacity", unit_s=1.0)
    good.axhline(capacity, color="#888888", lw=1.0, ls="--", label="capacity")
    goodput(good, answered, got, unit_s=1.0)
    good.set(xlabel="seconds")
    for axes in (late, good):
        axes.grid(visible=True, alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def ended(asked: Sequence[Asked]) -> list[Got]:
    """Requests by their ends, in seconds since the first was sent."""
    began_s = min(each.at_s for each in asked)
    return [
        Got(
            at_s=each.at_s + each.took_s - began_s,
            took_s=each.took_s,
            what="answered" if each.status == "OK" else each.status,
        )
        for each in asked
    ]
