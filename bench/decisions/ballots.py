"""Canonical ballots: official validity of the winner of five cheap models, or all, on tool calls."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aggregator_svc.fieldwise import field_vote
from aggregator_svc.voting import plurality
from bench.canonical import grades, tools
from bench.decisions import Row, SkippedError, apart
from bench.decisions.counted import counted
from bench.decisions.pools import BFCL_CHEAP5, FEWEST, JURORS, SILENT, Pool, with_a_tool
from bench.decisions.shortfall import shortfall
from bench.recordings import files, located, rows_of, stem
from services.calibration.votes import Votes
from services.core.canonical import NO_CALL, Ballot, ballot
from services.core.prompts import OutputFormat

CHEAP5: Final = BFCL_CHEAP5
PROMPTS: Final = 1_000
"""Of the recording that the published figure is about."""
SLACK: Final = 0.5
"""Points that ballots may be worse than the better of the best model and raw text."""
FOLDS: Final = 5
SEED: Final = 0
RESAMPLES: Final = 2_000
REACH: Final = 94.5
RAW: Final = 90.2
MEASURE: Final = "BFCL cheap5 without relevance, official validity of the winner"

Bools = NDArray[np.bool_]
Choose = Callable[[Sequence[Ballot], NDArray[np.float64]], int | None]


def rows(data: Path) -> Iterator[Row]:
    """The measure for every recording of tool calls."""
    known = located(data, "jury/bfcl_25models")
    every = dict.fromkeys([known, *files(data, "tool calls")])
    yield from apart(partial(_measured, path, known=path == known) for path in every)


def _measured(path: Path, *, known: bool) -> Iterator[Row]:
    """By canonical ballots, by raw text, and field by field where nobody has half."""
    recorded = with_a_tool(path, CHEAP5 if known and _has(path, CHEAP5) else ())
    jurors = tuple(recorded[0]["answers"])
    if len(recorded) < FEWEST or len(jurors) < JURORS:
        told = f"{path.name} holds {len(recorded)} tasks of {len(jurors)} models"
        raise SkippedError(f"{told}; {FEWEST} of {JURORS} are needed")
    valid = grades(recorded, jurors, "valid")
    read = [_ballots(row) for row in recorded]
    raw = [[Ballot(text) for text in _texts(row)] for row in recorded]
    won, text_won = winners(read, valid, by_plurality), winners(raw, valid, by_plurality)
    single = valid[np.arange(len(valid)), _best_of_training(valid)]
    ours, plain = 100.0 * float(won.mean()), 100.0 * float(text_won.mean())
    is_published = known and _is_whole(recorded)
    reach = REACH if is_published else max(100.0 * float(single.mean()), plain) - SLACK
    note = (
        f"raw text {plain:.1f}%, field by field {winners(read, valid, by_fields).mean():.1%}, best single "
        f"{single.mean():.1%}, oracle {valid.any(axis=1).mean():.1%}; {FOLDS} folds, seed {SEED}"
    )
    if ours < reach:
        note = f"{note}; {_shortfall(recorded, read, valid)}"
    yield Row(
        MEASURE if is_published else f"{stem(path)}, {len(jurors)} models: validity of the winner",
        ours,
        RAW if is_published else plain,
        reach,
        holds=ours >= reach,
        note=note,
        interval=_interval(won, text_won),
    )


def _is_whole(recorded: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the five cheap models answered all tasks that the published figure is of."""
    heard = all(said is not SILENT for row in recorded for said in row["answers"].values())
    return heard and tuple(recorded[0]["answers"]) == CHEAP5 and len(recorded) == PROMPTS


def _has(path: Path, jurors: Sequence[str]) -> bool:
    heard = {name for row in rows_of(path, "tool calls") for name in row["answers"]}
    return heard.issuperset(jurors)


def _shortfall(
    recorded: Sequence[Mapping[str, Any]], read: Sequence[Sequence[Ballot]], valid: Bools
) -> str:
    """What other rules make of the same ballots, with the official grade as the label."""
    keys = tuple(tuple(vote.key for vote in row) for row in read)
    pool = Pool(
        name=MEASURE,
        votes=Votes(tuple(recorded[0]["answers"]), keys, valid, NO_CALL.key),
        ballots=tuple(map(tuple, read)),
        forms=tuple(tuple(_texts(row)) for row in recorded),
        unfit=np.zeros(len(keys), dtype=np.bool_),
        published=None,
    )
    return shortfall(pool, counted(pool))


def _texts(row: Mapping[str, Any]) -> list[str]:
    return [said["raw"] or "" for said in row["answers"].values()]


def _ballots(row: Mapping[str, Any]) -> list[Ballot]:
    offered = tools(row)
    return [ballot(t, (), output_format=OutputFormat(), tools=offered) for t in _texts(row)]


def by_plurality(votes: Sequence[Ballot], priors: NDArray[np.float64]) -> int | None:
    cast = [i for i, vote in enumerate(votes) if vote.key]
    if not cast:
        return None
    count = plurality(
        [votes[i].key for i in cast],
        np.ones(len(cast)),
        priors[cast],
        [votes[i].mended for i in cast],
        min_share=0.0,
    )
    return cast[count.leader.representative]


def by_fields(votes: Sequence[Ballot], priors: NDArray[np.float64]) -> int | None:
    """Field by field where no class has half of the votes."""
    cast = [i for i, vote in enumerate(votes) if vote.key]
    keys = [votes[i].key for i in cast]
    if not cast or 2 * max(map(keys.count, keys)) >= len(keys):
        return by_plurality(votes, priors)
    values = [json.loads(votes[i].value) for i in cast]
    return cast[field_vote(values, np.ones(len(cast)), priors[cast]).chosen]


def winners(read: Sequence[Sequence[Ballot]], valid: Bools, choose: Choose) -> Bools:
    """Whether each task's winner is valid; who is stronger is known from the other folds only."""
    won = np.zeros(len(read), dtype=np.bool_)
    for tested in _folds(len(read)):
        priors = np.delete(valid, tested, axis=0).mean(axis=0)
        for task in tested.tolist():
            chosen = choose(read[task], priors)
            won[task] = chosen is not None and valid[task, chosen]
    return won


def _folds(n: int) -> list[NDArray[np.int64]]:
    return np.array_split(np.random.default_rng(SEED).permutation(n), FOLDS)


def _best_of_training(valid: Bools) -> NDArray[np.int64]:
    """The strongest model of the other folds, for each task."""
    best = np.zeros(len(valid), dtype=np.int64)
    for tested in _folds(len(valid)):
        best[tested] = np.delete(valid, tested, axis=0).mean(axis=0).argmax()
    return best


def _interval(ours: Bools, theirs: Bools) -> tuple[float, float]:
    """90 % interval of the paired difference, in points."""
    gain = 100.0 * (ours.astype(float) - theirs)
    drawn = np.random.default_rng(SEED).integers(0, gain.size, (RESAMPLES, gain.size))
    low, high = np.quantile(gain[drawn].mean(axis=1), [0.05, 0.95])
    return float(low), float(high)
