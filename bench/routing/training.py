"""How long training takes, and a decision's prediction, without the embedding."""

import pathlib
import time
from collections.abc import Iterator, Sequence

import numpy as np

from bench.decisions import Row
from bench.routing.pairs import EMBEDDING, pair_rows
from services.routing.features import of_text, seen
from services.routing.fit import fit
from services.routing.predict import predict

LABELS, REACH_S = 10_000, 60.0
ASKED, REACH_MS = 300, 5.0


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    del seeds
    every = pair_rows(data, "mmlu")
    learned = every.only(np.random.default_rng(0).permutation(len(every))[:LABELS])
    began, cpu = time.perf_counter(), time.process_time()
    routing = fit(learned, EMBEDDING, created="")
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    note = f"two models; {cpu_s:.1f} s of CPU; embedding apart"
    name = f"training on {len(learned):,} rows, s"
    yield Row(name, took_s, None, REACH_S, took_s <= REACH_S, note)

    times_ms = []
    for text, vector in zip(every.texts[:ASKED], every.vectors[:ASKED], strict=True):
        began = time.perf_counter()
        predict(routing, seen(of_text(text), vector), routing.names)
        times_ms.append(1000 * (time.perf_counter() - began))
    p50 = float(np.median(times_ms))
    note = f"p95 {np.quantile(times_ms, 0.95):.2f} ms; features read, embedding apart"
    yield Row("prediction, p50 ms", p50, None, REACH_MS, p50 <= REACH_MS, note)
