"""How soon flipped labels of one domain are noticed, and how often there is an alarm for nothing."""

import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from bench.decisions import Row, SkippedError
from bench.routing.pairs import EMBEDDING, Ints, Split, enough, pair_rows, splits
from services.routing.drift import EVERY, Drift
from services.routing.features import Floats
from services.routing.fit import adequacy, fit

LABELS: Final = 1_500
"""That the router is trained on; the others are the requests, each answered by both models."""
WITHIN: Final = 300
PER: Final = 10_000


@dataclass(frozen=True)
class Requests:
    """In the order in which they come."""

    domains: tuple[str, ...]
    predicted: Floats
    """Shape (n, m)."""
    outcomes: Floats
    """Shape (n, m)."""


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    every = pair_rows(data, "mmlu")
    largest = max(every.domains.count(name) for name in set(every.domains) - {""} or {""})
    if not all(every.domains) or largest < 4 * WITHIN:
        told = f"the largest domain that is told has {largest} prompts"
        raise SkippedError(f"{told}; {4 * WITHIN} are needed to see a change in {WITHIN}")
    requests = [_requests(data, seed) for seed in seeds]
    yield _false_alarms(requests)
    yield _noticed(requests)


@cache
def _requests(data: pathlib.Path, seed: int) -> Requests:
    """Those of a split, shuffled."""
    every = pair_rows(data, "mmlu")
    (given,) = splits(every, enough(every, LABELS), [seed])
    return _shuffled(given, np.random.default_rng(seed).permutation(len(given.test)))


def _shuffled(given: Split, order: Ints) -> Requests:
    routing = fit(given.train, EMBEDDING, created="")
    test = given.test.only(order)
    return Requests(test.domains, adequacy(routing, test), test.labels)


def _false_alarms(requests: Sequence[Requests]) -> Row:
    """Of all domains and models together, nothing flipped."""
    alarms, n = 0, 0
    for seed, each in enumerate(requests):
        drift = Drift(np.random.default_rng(seed))
        alarms += sum(_observed(drift, each, at, flipped=False) for at in range(len(each.domains)))
        n += len(each.domains)
    return Row(
        "drift, MMLU: alarms for nothing in 10,000 requests",
        PER * alarms / n,
        None,
        1.0,
        PER * alarms / n <= 1.0,
        f"{alarms} in {n} requests, two outcomes each, of {len(requests)} orders; "
        f"in expectation at most one in {EVERY} outcomes",
    )


def _noticed(requests: Sequence[Requests]) -> Row:
    """Each domain by itself, flipped from the middle of the stream on."""
    delays, late, short = [], [], []
    for seed, each in enumerate(requests):
        for name in sorted(set(each.domains)):
            delay, left = _delay(each, name, seed)
            if delay is not None:
                delays.append(delay)
            elif left >= WITHIN:
                late.append(name)
            else:
                short.append(left)
    worst = max([*(at for at, _ in delays), *(WITHIN + 1 for _ in late)])
    middle, most = np.median(delays or [(np.nan, np.nan)], axis=0)
    ended = f"; {len(short)} streams ended first, after {_span(short)}" if short else ""
    return Row(
        "drift, MMLU: requests of the flipped domain until noticed, the slowest",
        worst,
        None,
        WITHIN,
        worst <= WITHIN,
        f"median {middle:.0f}, which are {most:.0f} of all domains; noticed in {len(delays)} "
        f"streams, missed in {len(late)} of {WITHIN} or more{ended}",
    )


def _span(counts: Sequence[int]) -> str:
    return f"{min(counts)} … {max(counts)} (median {np.median(counts):.0f})"


def _delay(each: Requests, name: str, seed: int) -> tuple[tuple[int, int] | None, int]:
    """Requests of the domain, and of all, from the flip to the alarm; and how many there were.

    Streams of other domains are not looked at: they share nothing.
    """
    drift, half = Drift(np.random.default_rng(seed)), len(each.domains) // 2
    places = [at for at, domain in enumerate(each.domains) if domain == name]
    later = [at for at in places if at >= half]
    for at in places:
        is_flipped = at >= half
        if _observed(drift, each, at, flipped=is_flipped) and is_flipped:
            return (later.index(at) + 1, at - half + 1), len(later)
    return None, len(later)


def _observed(drift: Drift, each: Requests, at: int, *, flipped: bool) -> bool:
    """Whether a request raises an alarm for any of the models."""
    told = [
        drift.observe(
            domain=each.domains[at],
            model=str(model),
            predicted=float(p),
            outcome=float(1.0 - y if flipped else y),
        )
        for model, (p, y) in enumerate(zip(each.predicted[at], each.outcomes[at], strict=True))
    ]
    return any(told)
