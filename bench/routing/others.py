"""Recordings that nothing is published of, measured as those of their form are."""

import pathlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bench.decisions import Row, SkippedError, apart
from bench.routing import llmrouter, mmlupro, simpleqa
from bench.routing.pairs import enough, figures, pair_rows, splits
from bench.routing.recordings import others
from bench.routing.telling import apgr_row, ece_row

LABELS = 1_500
CURVE = (375, 750)


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    found = list(_measured(data, seeds))
    if not found:
        raise SkippedError("there is no recording of routing but those that have a part")
    yield from apart(found)


def _measured(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Callable[[], Iterator[Row]]]:
    yield from (partial(_pair, data, name, seeds) for name in others(data, "a pair of models"))
    for name in others(data, "scores"):
        yield partial(llmrouter.measured, data, name, name)
    for name in others(data, "outcomes"):
        yield partial(simpleqa.measured, data, name, name, seeds)
    for name in others(data, "letters"):
        yield partial(mmlupro.measured, data, name, name, seeds)


def _pair(data: pathlib.Path, name: str, seeds: Sequence[int]) -> Iterator[Row]:
    every = pair_rows(data, name)
    labels = enough(every, LABELS)
    found = [figures(each) for each in splits(every, labels, seeds)]
    yield apgr_row(f"{name}, {labels:,} labels", found, None, every, CURVE)
    yield ece_row(f"{name}, {labels:,} labels", found)
