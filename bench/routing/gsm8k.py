"""GSM8K, Mixtral and GPT-4: APGR with 650 labels; ECE of the adequacies."""

import pathlib
from collections.abc import Iterator, Sequence

from bench.decisions import Row
from bench.routing.pairs import figures, pair_rows, splits
from bench.routing.telling import apgr_row, ece_row

LABELS = 650
REACH = 0.64
CURVE = (160, 320, 480)


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    every = pair_rows(data, "gsm8k")
    found = [figures(each) for each in splits(every, LABELS, seeds)]
    yield apgr_row(f"GSM8K, {LABELS} labels", found, REACH, every, CURVE)
    yield ece_row(f"GSM8K, {LABELS} labels", found)
