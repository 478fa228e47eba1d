"""MMLU, Mixtral and GPT-4: APGR with few labels and in two folds; ECE of the adequacies."""

import pathlib
from collections.abc import Iterator, Sequence

from bench.decisions import Row
from bench.routing.pairs import figures, halves, pair_rows, splits
from bench.routing.telling import apgr_row, ece_row

LABELS = 1_500
REACH_FEW, REACH_HALF = 0.65, 0.70
CURVE = (375, 750, 3_000)
HALF_SEEDS = 3
"""Two directions each: a fit on 7,000 rows takes its time."""


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    every = pair_rows(data, "mmlu")
    few = [figures(each) for each in splits(every, LABELS, seeds)]
    yield apgr_row(f"MMLU, {LABELS:,} labels", few, REACH_FEW, every, CURVE)
    yield ece_row(f"MMLU, {LABELS:,} labels", few)
    half = [figures(each) for each in halves(every, seeds[:HALF_SEEDS])]
    yield apgr_row("MMLU, 2-fold", half, REACH_HALF, every, (LABELS, *CURVE))
    yield ece_row("MMLU, 2-fold", half)
