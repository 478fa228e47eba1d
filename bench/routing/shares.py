"""Whether the strong model gets the share of unseen prompts that was asked for."""

import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from bench.decisions import Row, SkippedError, apart
from bench.routing.pairs import EMBEDDING, STRONG, WEAK, Split, enough, pair_rows, splits
from router_svc.choice import strong_from
from services.routing.features import Floats
from services.routing.fit import adequacy, fit

LABELS: Final = {"mmlu": 1_500, "gsm8k": 650}
SHARES: Final = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
ALLOWED: Final = 2.0
"""Points."""


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    yield from apart(
        partial(_measured, data, name, title, seeds)
        for name, title in (("mmlu", "MMLU"), ("gsm8k", "GSM8K"))
    )


def _measured(data: pathlib.Path, name: str, title: str, seeds: Sequence[int]) -> Iterator[Row]:
    every = pair_rows(data, name)
    labels = enough(every, LABELS[name])
    off = np.array([_off(each) for each in splits(every, labels, seeds)])
    mean, worst = off.mean(axis=0), float(np.abs(off).max())
    far = float(np.abs(mean).max())
    asked = ", ".join(f"{s:.0%} {d:+.1f}" for s, d in zip(SHARES, mean, strict=True))
    yield Row(
        f"{title}: realised share of strong calls, points off the one asked for",
        far,
        None,
        ALLOWED,
        far <= ALLOWED,
        f"largest mean of {len(seeds)} splits over the shares: {asked}; of single splits, where "
        f"half of {labels:,} prompts have a standard error of {_chance(labels):.1f}, "
        f"{(np.abs(off) <= ALLOWED).mean():.0%} keep {ALLOWED:.0f} points, worst {worst:.1f}",
    )


def _off(given: Split) -> Floats:
    """Realised less asked share in points, thresholds from the training prompts alone; domains are told."""
    routing = fit(given.train, EMBEDDING, created="")
    if routing.held_out is None:
        raise SkippedError("too few prompts to hold any out")
    known = routing.held_out.adequacy
    told = adequacy(routing, replace(given.test, domains=given.domains))
    helps = told[:, STRONG] - told[:, WEAK]
    least = [strong_from(known[:, WEAK], known[:, STRONG], share=share) for share in SHARES]
    return np.array(
        [100.0 * (np.mean(helps >= at) - s) for at, s in zip(least, SHARES, strict=True)]
    )


def _chance(labels: int) -> float:
    """Standard error of a share of one half over as many prompts as were trained on, in points."""
    return 100.0 * float(np.sqrt(0.25 / labels))
