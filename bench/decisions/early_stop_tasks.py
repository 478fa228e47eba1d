"""Recorded tool calls of a jury, with how long each answer took and what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aggregator_svc.voting import plurality
from bench.canonical import tools
from bench.decisions import SkippedError
from bench.decisions.pools import with_a_tool
from bench.forms import Line
from jury_svc.leads import Voter
from services.calibration.votes import folds
from services.core.canonical import Ballot, ballot
from services.core.prompts import OutputFormat

CHEAP7: Final = {
    "gpt-4o-mini-2024-07-18": (0.15, 0.60),
    "claude-3-haiku-20240307": (0.25, 1.25),
    "open-mistral-nemo-2407": (0.30, 0.30),
    "gemini-1.5-flash-preview-0514": (0.35, 1.05),
    "gpt-3.5-turbo-0125": (0.50, 1.50),
    "open-mixtral-8x7b": (0.70, 0.70),
    "mistral-small-2402": (1.00, 3.00),
}
"""The cheapest whose latency was recorded; US dollars per million tokens, in and out, list prices
of August 2024."""
ALIKE: Final = (1.0, 1.0)
"""The price of models whose price nobody told: a token is a token."""
SEVEN, LEAST = 7, 5
"""Jurors that are taken of others, and how many are needed at least."""
MOSTLY: Final = 0.9
"""Share of the tasks that a juror's time has to be recorded of."""
FEWEST: Final = 20
"""Tasks that all are timed on."""
PROMPTS: Final = 1_000
"""Of the recording that the published figures are about."""
QUORUM: Final = 4
MIN_SHARE: Final = 0.5
PARTS, SEED = 5, 0
JITTER: Final = 0.2

Floats = NDArray[np.float64]
Prices = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Task:
    """One recorded prompt; arrays have one number for each juror."""

    row: Mapping[str, Any]
    ballots: tuple[Ballot, ...]
    right: NDArray[np.bool_]
    latency_s: Floats
    cost_usd: Floats
    input_usd: Floats
    voters: tuple[Voter, ...]
    """With priors from the other folds."""
    prices: Prices

    def winner(self, jurors: Sequence[int]) -> tuple[str, bool, bool]:
        """Key of the winner of these jurors' ballots, whether it has its share, and is right.

        Below the quorum there is no winner.
        """
        cast = [j for j in jurors if self.ballots[j].key]
        if len(cast) < QUORUM:
            return "", False, False
        count = plurality(
            [self.ballots[j].key for j in cast],
            np.ones(len(cast)),
            np.array([self.voters[j].prior for j in cast]),
            [self.ballots[j].mended for j in cast],
            min_share=MIN_SHARE,
        )
        chosen = cast[count.leader.representative]
        return count.leader.key, count.consensus, bool(self.right[chosen])


def jurors_of(rows: Sequence[Line]) -> Prices:
    """The seven cheap models where all of them were timed, else those that wrote the least.

    Raises
    ------
    SkippedError
        If too few models were timed.
    """
    timed: dict[str, list[float]] = {}
    for row in rows:
        for name, said in row["answers"].items():
            if _is_timed(said):
                timed.setdefault(name, []).append(said["in"] + said["out"])
    usual = {
        n: float(np.mean(told)) for n, told in timed.items() if len(told) >= MOSTLY * len(rows)
    }
    if usual.keys() >= CHEAP7.keys():
        return CHEAP7
    if len(usual) < LEAST:
        raise SkippedError(f"{len(usual)} models were timed on most tasks; {LEAST} are needed")
    return dict.fromkeys(sorted(usual, key=lambda name: (usual[name], name))[:SEVEN], ALIKE)


def tasks_of(path: Path) -> list[Task]:
    """Tasks that some tool fits and all jurors were timed on.

    Raises
    ------
    SkippedError
        If there are too few of them, or of models.
    """
    prices = jurors_of(with_a_tool(path, ()))
    recorded = [
        row
        for row in with_a_tool(path, tuple(prices))
        if all(_is_timed(said) for said in row["answers"].values())
    ]
    if len(recorded) < FEWEST:
        told = f"{path.name} times all of {len(prices)} models in {len(recorded)} tasks"
        raise SkippedError(f"{told}; {FEWEST} are needed")
    said = [[row["answers"][model] for model in prices] for row in recorded]
    right = np.array([[bool(a["valid"] or a["ok"]) for a in answers] for answers in said])
    part = folds(len(recorded), parts=PARTS, seed=SEED)
    return [
        _task(row, right[i], right[part != part[i]].mean(axis=0), prices)
        for i, row in enumerate(recorded)
    ]


def _is_timed(said: Line | None) -> bool:
    """Whether it is known of an answer how long it was, perhaps empty, and how long it took."""
    if said is None or not said.get("lat"):
        return False
    return said.get("in") is not None and said.get("out") is not None


def _task(row: Line, right: NDArray[np.bool_], priors: Floats, prices: Prices) -> Task:
    offered, form = tools(row), OutputFormat()
    answers = [row["answers"][name] for name in prices]
    usd = np.array(list(prices.values())) / 1e6
    read = usd[:, 0] * [a["in"] for a in answers]
    return Task(
        row=row,
        ballots=tuple(
            ballot(a["raw"] or "", (), output_format=form, tools=offered) for a in answers
        ),
        right=right,
        latency_s=np.array([a["lat"] for a in answers]),
        cost_usd=read + usd[:, 1] * [a["out"] for a in answers],
        input_usd=read,
        voters=tuple(
            Voter(name, prior=float(prior)) for name, prior in zip(prices, priors, strict=True)
        ),
        prices=prices,
    )


def jittered(task: Task, rng: np.random.Generator) -> Task:
    """The same with every answer a little earlier or later."""
    factor = rng.lognormal(0.0, JITTER, task.latency_s.size)
    return replace(task, latency_s=task.latency_s * factor)
