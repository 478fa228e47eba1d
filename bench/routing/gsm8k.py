"""GSM8K, Mixtral and GPT-4: APGR with 650 labels; ECE of the adequacies."""

import pathlib
from collections.abc import Iterator, Sequence

from bench.decisions import Row
from bench.routing.pairs import enough, figures, pair_rows, splits
from bench.routing.recordings import is_published
from bench.routing.telling import apgr_row, ece_row

LABELS = 650
REACH = 0.64
CURVE = (160, 320, 480)


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    every, known = pair_rows(data, "gsm8k"), is_published(data, "gsm8k")
    labels = enough(every, LABELS)
    found = [figures(each) for each in splits(every, labels, seeds)]
    yield apgr_row(f"GSM8K, {labels} labels", found, REACH if known else None, every, CURVE)
    yield ece_row(f"GSM8K, {labels} labels", found)
