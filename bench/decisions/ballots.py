"""Canonical ballots: official validity of the winner of five cheap models on tool calls."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aggregator_svc.fieldwise import field_vote
from aggregator_svc.voting import plurality
from bench.canonical import grades, tasks, tools
from bench.decisions import Row, SkippedError
from bench.decisions.counted import counted
from bench.decisions.pools import Pool, answered
from bench.decisions.shortfall import shortfall
from services.calibration.votes import Votes
from services.core.canonical import NO_CALL, Ballot, ballot
from services.core.prompts import OutputFormat

CHEAP5: Final = (
    "gpt-4o-mini-2024-07-18",
    "claude-3-haiku-20240307",
    "gemini-1.5-flash-preview-0514",
    "open-mistral-nemo-2407",
    "meta-llama_Meta-Llama-3-8B-Instruct",
)
"""The five with which the table's plurality on relevance (69.2 %) and oracle (96.2 %) come out."""
FILE: Final = Path("jury/bfcl_25models.jsonl.gz")
FOLDS: Final = 5
SEED: Final = 0
RESAMPLES: Final = 2_000
REACH: Final = 94.5
RAW: Final = 90.2
MEASURE: Final = "BFCL cheap5 without relevance, official validity of the winner"

Bools = NDArray[np.bool_]
Choose = Callable[[Sequence[Ballot], NDArray[np.float64]], int | None]


def rows(data: Path) -> Iterator[Row]:
    """The measure by canonical ballots, by raw text, and field by field where nobody has half."""
    path = data / FILE
    if not path.is_file():
        raise SkippedError(f"there is no {FILE}")
    recorded = tasks(path)
    answered(recorded, CHEAP5, path)
    valid = grades(recorded, CHEAP5, "valid")
    read = [_ballots(row) for row in recorded]
    single = valid[np.arange(len(valid)), _best_of_training(valid)]
    raw = [[Ballot(vote_text or "") for vote_text in _texts(row)] for row in recorded]

    fields = winners(read, valid, by_fields).mean()
    text_won = winners(raw, valid, by_plurality)
    won = winners(read, valid, by_plurality)
    note = (
        f"raw text {text_won.mean():.1%}, field by field {fields:.1%}, best single {single.mean():.1%}, "
        f"oracle {valid.any(axis=1).mean():.1%}; {FOLDS} folds, seed {SEED}"
    )
    ours = 100.0 * float(won.mean())
    if ours < REACH:
        note = f"{note}; {_shortfall(recorded, read, valid)}"
    yield Row(
        MEASURE, ours, RAW, REACH, holds=ours >= REACH, note=note, interval=_interval(won, text_won)
    )


def _shortfall(
    recorded: Sequence[Mapping[str, Any]], read: Sequence[Sequence[Ballot]], valid: Bools
) -> str:
    """What other rules make of the same ballots, with the official grade as the label."""
    keys = tuple(tuple(vote.key for vote in row) for row in read)
    pool = Pool(
        name=MEASURE,
        votes=Votes(CHEAP5, keys, valid, NO_CALL.key),
        ballots=tuple(map(tuple, read)),
        forms=tuple(tuple(_texts(row)) for row in recorded),
        unfit=np.zeros(len(keys), dtype=np.bool_),
        published=None,
    )
    return shortfall(pool, counted(pool))


def _texts(row: Mapping[str, Any]) -> list[str]:
    return [row["answers"][model]["raw"] or "" for model in CHEAP5]


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
