"""Panels of judges on LLMBar: weights learned on four folds, verdicts on the fifth."""

import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from bench.decisions import Row, SkippedError
from bench.decisions.pools import Line, lines
from judge_svc.panel import Vote, panel_score
from judge_svc.ranking import Better, Comparison
from services.calibration.fit_judge import Panel, fit_panel
from services.calibration.votes import Bools, Floats, folds

WEAK = ("ChatGPT", "PaLM2", "LLaMA2")
ALL = ("ChatGPT", "ChatGPT-0301", "Falcon", "GPT-4", "LLaMA2", "PaLM2")
STRATEGY = "Vanilla"
PARTS, SEEDS = 5, range(10)
REACH_FREE, REACH_SERVED, REACH_ADVERSARIAL = 73.0, 70.0, 81.0

CHOICE: dict[int, Better] = {1: "one", 2: "two"}
TURNED: dict[Better, Better] = {"one": "two", "two": "one", "tie": "tie"}


def rows(data: pathlib.Path) -> Iterator[Row]:
    found = lines(data / "judge/llmbar_with_judges.jsonl.gz")
    asked = {f"{judge}/{STRATEGY}" for judge in ALL}
    if lacking := sorted(asked - set.intersection(*(set(row["judges"]) for row in found))):
        raise SkippedError(f"llmbar_with_judges lacks verdicts of {', '.join(lacking)}")
    natural = np.array([row["subset"] == "Natural" for row in found])
    every = np.ones(len(found), dtype=bool)
    yield _row(found, WEAK, every, free=True, reach=REACH_FREE)
    yield _row(found, WEAK, every, free=False, reach=REACH_SERVED)
    yield _row(found, ALL, ~natural, free=False, reach=REACH_ADVERSARIAL)


def _row(
    found: Sequence[Line], judges: Sequence[str], asked: Bools, *, free: bool, reach: float
) -> Row:
    votes = [[_vote(row, judge) for judge in judges] for row in found]
    first = np.array([row["label"] == 1 for row in found])
    right = np.mean([_right(votes, first, judges, seed, free=free) for seed in SEEDS], axis=0)
    plain = _graded([panel_score(row, dict.fromkeys(judges, 1.0)) for row in votes], first)
    gaps = 100 * (right - plain)[asked]
    rng = np.random.default_rng(0)
    drawn = [gaps[rng.integers(gaps.size, size=gaps.size)].mean() for _ in range(2000)]
    low, high = np.quantile(drawn, [0.05, 0.95])
    ours = 100 * float(right[asked].mean())
    part = "all" if asked.all() else "adversarial part"
    kind = "free weights" if free else "as served"
    return Row(
        f"LLMBar {part}, {len(judges)} judges, {kind}",
        ours,
        100 * float(plain[asked].mean()),
        reach,
        ours >= reach,
        f"5 folds, mean of {len(SEEDS)} seeds; baseline: judges weigh the same",
        (float(low), float(high)),
    )


def _vote(row: Line, judge: str) -> Vote:
    """Recorded verdicts of both orders, the second one as the judge said it."""
    forwards, backwards = (CHOICE.get(v, "tie") for v in row["judges"][f"{judge}/{STRATEGY}"])
    return Vote(judge, Comparison(0, 1, forwards, TURNED[backwards]))


def _right(
    votes: Sequence[Sequence[Vote]],
    first: Bools,
    judges: Sequence[str],
    seed: int,
    *,
    free: bool,
) -> Floats:
    scores = np.array([[vote.comparison.score for vote in row] for row in votes])
    part, right = folds(len(first), parts=PARTS, seed=seed), np.zeros(len(first))
    for held in range(PARTS):
        fitted = fit_panel(scores[part != held], first[part != held])
        at = np.flatnonzero(part == held)
        said = (
            _free(scores[at], fitted) if free else _served([votes[i] for i in at], judges, fitted)
        )
        right[at] = _graded(said, first[at])
    return right


def _free(scores: Floats, fitted: Panel) -> list[float | None]:
    return [float(score) for score in scores @ fitted.raw]


def _served(
    votes: Sequence[Sequence[Vote]], judges: Sequence[str], fitted: Panel
) -> list[float | None]:
    weights = dict(zip(judges, map(float, fitted.reliabilities), strict=True))
    return [panel_score(row, weights) for row in votes]


def _graded(scores: Sequence[float | None], first: Bools) -> Floats:
    """1 for a right verdict, one half for a tie."""
    said = np.array([score or 0.0 for score in scores])
    return np.where(np.abs(said) < 1e-9, 0.5, (said > 0) == first).astype(np.float64)
