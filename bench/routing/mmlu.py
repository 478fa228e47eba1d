"""MMLU, Mixtral and GPT-4: APGR with few labels and in two folds; ECE of the adequacies."""

import pathlib
from collections.abc import Iterator, Sequence

from bench.decisions import Row
from bench.routing.pairs import enough, figures, halves, pair_rows, splits
from bench.routing.recordings import is_published
from bench.routing.telling import apgr_row, ece_row

LABELS = 1_500
REACH_FEW, REACH_HALF = 0.65, 0.70
CURVE = (375, 750, 3_000)
HALF_SEEDS = 3
"""Two directions each: a fit on 7,000 rows takes its time."""


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    every, known = pair_rows(data, "mmlu"), is_published(data, "mmlu")
    labels = enough(every, LABELS)
    few = [figures(each) for each in splits(every, labels, seeds)]
    yield apgr_row(f"MMLU, {labels:,} labels", few, REACH_FEW if known else None, every, CURVE)
    yield ece_row(f"MMLU, {labels:,} labels", few)
    half = [figures(each) for each in halves(every, seeds[:HALF_SEEDS])]
    reach = REACH_HALF if known else None
    yield apgr_row("MMLU, 2-fold", half, reach, every, (LABELS, *CURVE))
    yield ece_row("MMLU, 2-fold", half)
