"""Panels of judges on LLMBar: weights learned on four folds, verdicts on the fifth."""

import pathlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from bench.decisions import Row, SkippedError, apart
from bench.forms import Line
from bench.recordings import files, located, rows_of, stem
from judge_svc.panel import Vote, panel_score
from judge_svc.ranking import Better, Comparison
from services.calibration.fit_judge import Panel, fit_panel
from services.calibration.votes import Bools, Floats, folds

WEAK = ("ChatGPT", "PaLM2", "LLaMA2")
ALL = ("ChatGPT", "ChatGPT-0301", "Falcon", "GPT-4", "LLaMA2", "PaLM2")
STRATEGY = "Vanilla"
PARTS, SEEDS = 5, range(10)
REACH_FREE, REACH_SERVED, REACH_ADVERSARIAL = 73.0, 70.0, 81.0
PROMPTS = 419
"""Of the recording that these figures are about."""
SLACK = 0.5
"""Points that a panel may be worse than its best judge."""
JUDGES, FEWEST = 2, 50
MOSTLY = 0.9

CHOICE: dict[int, Better] = {1: "one", 2: "two"}
TURNED: dict[Better, Better] = {"one": "two", "two": "one", "tie": "tie"}


def rows(data: pathlib.Path) -> Iterator[Row]:
    """LLMBar by its judges; every other recording of comparisons by all judges that it has."""
    known = located(data, "judge/llmbar_with_judges")
    others = [path for path in files(data, "comparisons") if path != known]
    yield from apart([partial(_known, known), *(partial(_other, path) for path in others)])


def _known(path: pathlib.Path) -> Iterator[Row]:
    found = rows_of(path, "comparisons")
    if not _common(found, STRATEGY).issuperset(ALL):
        yield from _other(path)
        return
    natural = np.array([row.get("subset") == "Natural" for row in found])
    every = np.ones(len(found), dtype=bool)
    is_published = len(found) == PROMPTS
    free, served, adversarial = (
        (REACH_FREE, REACH_SERVED, REACH_ADVERSARIAL) if is_published else (None, None, None)
    )
    yield _row(found, WEAK, every, free=True, reach=free)
    yield _row(found, WEAK, every, free=False, reach=served)
    if not natural.all():
        yield _row(found, ALL, ~natural, free=False, reach=adversarial)


def _common(found: Sequence[Line], way: str) -> set[str]:
    """Judges that compared all but a few pairs in this way; one that is missing is a tie."""
    asked = (each.rpartition("/") for row in found for each in row["judges"])
    told = Counter(judge for judge, _, each in asked if each == way)
    return {judge for judge, n in told.items() if n >= MOSTLY * len(found)}


def _other(path: pathlib.Path) -> Iterator[Row]:
    """Each strategy by itself: a panel of all its judges."""
    found = rows_of(path, "comparisons")
    ways = sorted({each.rpartition("/")[2] for row in found for each in row["judges"]})
    panels = {way: tuple(sorted(_common(found, way))) for way in ways}
    panels = {way: judges for way, judges in panels.items() if len(judges) >= JUDGES}
    if not panels or len(found) < FEWEST:
        told = f"{path.name} lacks verdicts of {JUDGES} judges on the same {FEWEST} pairs or more"
        raise SkippedError(told)
    every = np.ones(len(found), dtype=bool)
    for way, judges in panels.items():
        yield _row(found, judges, every, free=False, reach=None, of=(stem(path), way))


def _row(
    found: Sequence[Line],
    judges: Sequence[str],
    asked: Bools,
    *,
    free: bool,
    reach: float | None,
    of: tuple[str, str] = ("LLMBar", STRATEGY),
) -> Row:
    """Without a published figure the best judge of the training folds is to be reached."""
    title, way = of
    votes = [[_vote(row, judge, way) for judge in judges] for row in found]
    first = np.array([row["label"] == 1 for row in found])
    told = [_right(votes, first, judges, seed, free=free) for seed in SEEDS]
    right, best = (np.mean([each[which] for each in told], axis=0) for which in (0, 1))
    plain = _graded([panel_score(row, dict.fromkeys(judges, 1.0)) for row in votes], first)
    ours, theirs = 100 * float(right[asked].mean()), 100 * float(best[asked].mean())
    part = ("all" if asked.all() else "adversarial part") + (f", {way}" if way != STRATEGY else "")
    kind = "free weights" if free else "as served"
    wanted = theirs - SLACK if reach is None else reach
    return Row(
        f"{title} {part}, {len(judges)} judges, {kind}",
        ours,
        100 * float(plain[asked].mean()),
        wanted,
        ours >= wanted,
        f"5 folds, mean of {len(SEEDS)} seeds; baseline: judges weigh the same; best judge of the "
        f"training folds {theirs:.1f}",
        _interval(100 * (right - plain)[asked]),
    )


def _interval(gaps: Floats) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    drawn = [gaps[rng.integers(gaps.size, size=gaps.size)].mean() for _ in range(2000)]
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(low), float(high)


def _vote(row: Line, judge: str, way: str) -> Vote:
    """Recorded verdicts of both orders, the second one as the judge said it."""
    forwards, backwards = (
        _choice(v) for v in row["judges"].get(f"{judge}/{way}" if judge else way, (0, 0))
    )
    return Vote(judge, Comparison(0, 1, forwards, TURNED[backwards]))


def _choice(verdict: object) -> Better:
    return CHOICE.get(verdict, "tie") if isinstance(verdict, int) else "tie"


def _right(
    votes: Sequence[Sequence[Vote]],
    first: Bools,
    judges: Sequence[str],
    seed: int,
    *,
    free: bool,
) -> tuple[Floats, Floats]:
    """How right the panel is on pairs that its weights had not seen, and how right its best judge."""
    scores = np.array([[vote.comparison.score for vote in row] for row in votes])
    each = np.stack([_graded(list(column), first) for column in scores.T])
    part, right, best = folds(len(first), parts=PARTS, seed=seed), *np.zeros((2, len(first)))
    for held in range(PARTS):
        fitted = fit_panel(scores[part != held], first[part != held])
        at = np.flatnonzero(part == held)
        said = (
            _free(scores[at], fitted) if free else _served([votes[i] for i in at], judges, fitted)
        )
        right[at] = _graded(said, first[at])
        best[at] = each[int(each[:, part != held].mean(axis=1).argmax()), at]
    return right, best


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
