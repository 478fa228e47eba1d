"""Seven cheap models on tool calls: stopping early costs no answer, and saves calls and time."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aggregator_svc.voting import plurality
from bench.canonical import tools
from bench.decisions import Row, SkippedError
from bench.decisions.early_stop_jury import Heard, heard_by_the_jury
from bench.decisions.pools import with_a_tool
from bench.recordings import located
from jury_svc.leads import Poll, Vote, Voter
from jury_svc.quorum import Stop, stop_reason
from jury_svc.stopping import Rule, Terms, could_decide, is_decided, may_change
from jury_svc.waves import waves
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
QUORUM: Final = 4
WAVES: Final = (4,)
MIN_SHARE: Final = 0.5
PARTS, SEED = 5, 0
REPLAYS: Final = 20
JITTER: Final = 0.2
SAMPLE: Final = 60
"""Tasks that the real jury is asked."""
FEWEST: Final = 20
"""Tasks that all are timed on."""
MOST_CALLS: Final = 4.9
MOST_P95_S: Final = 2.8
NAME: Final = "early stop, seven cheap models on tool calls"
UNCATCHABLE: Final = Terms(min_share=MIN_SHARE)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """One recorded prompt; arrays have shape (7,)."""

    row: Mapping[str, Any]
    ballots: tuple[Ballot, ...]
    right: NDArray[np.bool_]
    latency_s: Floats
    cost_usd: Floats
    input_usd: Floats
    voters: tuple[Voter, ...]
    """With priors from the other folds."""

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


@dataclass(frozen=True)
class Replayed:
    """What became of one task."""

    task: Task
    heard: tuple[int, ...]
    """Jurors who were in when it stopped."""
    asked: int
    seconds: float
    cost_usd: float
    """With what those who were cut off had read and written by then."""

    @property
    def same(self) -> bool:
        """Whether waiting for all gives the same winner, and as much a consensus."""
        whole = self.task.winner(range(len(CHEAP7)))
        return self.task.winner(self.heard)[:2] == whole[:2]


def rows(data: Path) -> Iterator[Row]:
    """By recorded latencies, then with the real jury on a sample."""
    recorded = _tasks(located(data, "jury/bfcl_25models"))
    whole = [_waited(task) for task in recorded]
    early = [_replayed(task, UNCATCHABLE) for task in recorded]
    jittered = [_replayed(_jittered(t, rng), UNCATCHABLE) for rng in _rngs() for t in recorded]
    cheap_first = [_replayed(task, UNCATCHABLE, WAVES) for task in recorded]

    yield _same(early, jittered)
    yield _calls(recorded, early, whole)
    yield _p95(early, jittered, whole)
    yield _money(early, cheap_first, whole)
    yield from _real(recorded[:: max(1, len(recorded) // SAMPLE)][:SAMPLE])


def _same(early: Sequence[Replayed], jittered: Sequence[Replayed]) -> Row:
    same, in_jitter = _mean(early, "same"), _mean(jittered, "same")
    note = f"{REPLAYS} replays with jittered latencies {100 * in_jitter:.4g}"
    holds = min(same, in_jitter) == 1.0
    return Row(f"{NAME}: same answers as waiting for all, %", 100 * same, None, 100, holds, note)


def _calls(recorded: Sequence[Task], early: Sequence[Replayed], whole: Sequence[Replayed]) -> Row:
    ours = _used(early)
    others = {
        "beta .90": Terms(rule=Rule.BETA, gamma=0.9),
        "beta .85": Terms(rule=Rule.BETA, gamma=0.85),
        "agree 3": Terms(rule=Rule.AGREE, agree=3),
    }
    notes = [f"right {_accuracy(early):.1f} %, all {_accuracy(whole):.1f} %"]
    for name, terms in others.items():
        found = [_replayed(task, terms) for task in recorded]
        notes.append(f"{name}: {_used(found):.2f} calls, right {_accuracy(found):.1f} %")
    return Row(
        f"{NAME}: calls", ours, _used(whole), MOST_CALLS, ours <= MOST_CALLS, "; ".join(notes)
    )


def _p95(early: Sequence[Replayed], jittered: Sequence[Replayed], whole: Sequence[Replayed]) -> Row:
    ours, theirs = _seconds(early, 0.95), _seconds(whole, 0.95)
    note = (
        f"p50 {_seconds(early, 0.5):.2f} instead of {_seconds(whole, 0.5):.2f} s, "
        f"jittered p95 {_seconds(jittered, 0.95):.2f} s"
    )
    return Row(f"{NAME}: p95, s", ours, theirs, MOST_P95_S, ours <= MOST_P95_S, note)


def _money(
    early: Sequence[Replayed], cheap_first: Sequence[Replayed], whole: Sequence[Replayed]
) -> Row:
    ours, all_usd = _saved(cheap_first, whole), sum(each.cost_usd for each in whole)
    note = (
        f"of {1e3 * all_usd / len(whole):.3f} USD per 1,000; {_mean(cheap_first, 'asked'):.2f} calls, "
        f"p95 {_seconds(cheap_first, 0.95):.2f} s, same answers {100 * _mean(cheap_first, 'same'):.4g} %; "
        f"all at once: {_saved(early, whole):.1f} % saved, for whoever is cut off is billed"
    )
    holds = ours > 0.0 and _mean(cheap_first, "same") == 1.0
    return Row(f"{NAME}: money saved by a first wave of 4, %", ours, 0.0, 0.0, holds, note)


def _real(sample: Sequence[Task]) -> Iterator[Row]:
    """The real jury, its models as slow as recorded on a faster clock."""
    found = asyncio.run(_asked(sample))
    same = [
        task.winner(heard.jurors)[:2] == task.winner(range(len(CHEAP7)))[:2]
        for task, heard in zip(sample, found, strict=True)
    ]
    replayed = [_replayed(task, UNCATCHABLE) for task in sample]
    cut = [heard for heard in found if heard.cut]
    billed = all(heard.cut_usd > 0.0 and heard.adds_up for heard in cut)
    note = (
        f"{len(sample)} tasks; {np.mean([len(heard.jurors) for heard in found]):.2f} answers, replayed "
        f"{np.mean([len(each.heard) for each in replayed]):.2f}; every juror cut off is billed: "
        f"{'yes' if billed else 'no'}, in {len(cut)} tasks"
    )
    holds = all(same) and billed and bool(cut)
    yield Row(
        f"{NAME}: same answers by the real jury, %",
        100 * float(np.mean(same)),
        None,
        100,
        holds,
        note,
    )


async def _asked(sample: Sequence[Task]) -> list[Heard]:
    return [
        await heard_by_the_jury(task.row, CHEAP7, task.voters, UNCATCHABLE, QUORUM)
        for task in sample
    ]


def _replayed(task: Task, terms: Terms, sizes: Sequence[int] = ()) -> Replayed:
    """Let the answers arrive as recorded, and stop by the rule of the jury."""
    unsent, sent_at = deque(waves(task.cost_usd.tolist(), sizes)), dict[int, float]()
    heard: list[int] = []
    out: set[int] = set()
    now = 0.0
    while not _stops(task, heard, out, unsent, terms):
        if unsent and _is_due(task, heard, out, unsent, terms):
            out |= {*unsent[0]}
            sent_at |= dict.fromkeys(unsent.popleft(), now)
            continue
        first = min(out, key=lambda j: sent_at[j] + task.latency_s[j])
        now = sent_at[first] + float(task.latency_s[first])
        out.remove(first)
        heard.append(first)
    read = {j: min(1.0, (now - sent_at[j]) / task.latency_s[j]) for j in sent_at}
    usd = sum(
        task.input_usd[j] + part * (task.cost_usd - task.input_usd)[j] for j, part in read.items()
    )
    return Replayed(task, tuple(heard), len(sent_at), now, float(usd))


def _stops(
    task: Task, heard: Sequence[int], out: set[int], unsent: Sequence[Sequence[int]], terms: Terms
) -> Stop | None:
    poll = _poll(task, heard, out, unsent)
    decided = len(poll.votes) >= QUORUM and is_decided(poll, terms)
    return stop_reason(
        usable=len(poll.votes),
        unsettled=len(poll.still_open),
        quorum=QUORUM,
        grace_over=not out,
        time_is_up=False,
        decided=decided,
        may_change=bool(poll.votes) and may_change(poll, terms),
    )


def _is_due(
    task: Task, heard: Sequence[int], out: set[int], unsent: Sequence[Sequence[int]], terms: Terms
) -> bool:
    poll = _poll(task, heard, out, unsent)
    if not out or len(poll.votes) + len(out) < QUORUM:
        return True
    return not could_decide(poll, [task.voters[j] for j in out], terms)


def _poll(task: Task, heard: Sequence[int], out: set[int], unsent: Sequence[Sequence[int]]) -> Poll:
    votes = [Vote(task.voters[j], task.ballots[j].key) for j in heard if task.ballots[j].key]
    still_open = [*sorted(out), *(j for wave in unsent for j in wave)]
    return Poll(tuple(votes), tuple(task.voters[j] for j in still_open))


def _waited(task: Task) -> Replayed:
    everyone = tuple(range(len(CHEAP7)))
    seconds = float(task.latency_s.max())
    return Replayed(task, everyone, len(everyone), seconds, float(task.cost_usd.sum()))


def _tasks(path: Path) -> list[Task]:
    recorded = [row for row in with_a_tool(path, tuple(CHEAP7)) if _is_timed(row)]
    if len(recorded) < FEWEST:
        told = f"{path.name} times all of these models in {len(recorded)} tasks"
        raise SkippedError(f"{told}; {FEWEST} are needed")
    said = [[row["answers"][model] for model in CHEAP7] for row in recorded]
    right = np.array([[bool(a["valid"] or a["ok"]) for a in answers] for answers in said])
    part = folds(len(recorded), parts=PARTS, seed=SEED)
    return [
        _task(row, answers, right[i], right[part != part[i]].mean(axis=0))
        for i, (row, answers) in enumerate(zip(recorded, said, strict=True))
    ]


def _is_timed(row: Mapping[str, Any]) -> bool:
    """Whether it is known of every answer how long it was and how long it took."""
    measures = ("lat", "in", "out")
    return all(said.get(each) for said in row["answers"].values() for each in measures)


def _task(
    row: Mapping[str, Any], answers: Sequence[Any], right: NDArray[np.bool_], priors: Floats
) -> Task:
    offered, form = tools(row), OutputFormat()
    prices = np.array(list(CHEAP7.values())) / 1e6
    read = prices[:, 0] * [a["in"] for a in answers]
    return Task(
        row=row,
        ballots=tuple(
            ballot(a["raw"] or "", (), output_format=form, tools=offered) for a in answers
        ),
        right=right,
        latency_s=np.array([a["lat"] for a in answers]),
        cost_usd=read + prices[:, 1] * [a["out"] for a in answers],
        input_usd=read,
        voters=tuple(
            Voter(name, prior=float(prior)) for name, prior in zip(CHEAP7, priors, strict=True)
        ),
    )


def _jittered(task: Task, rng: np.random.Generator) -> Task:
    factor = rng.lognormal(0.0, JITTER, task.latency_s.size)
    return replace(task, latency_s=task.latency_s * factor)


def _rngs() -> Iterator[np.random.Generator]:
    for seed in range(REPLAYS):
        yield np.random.default_rng(seed)


def _mean(found: Sequence[Replayed], what: str) -> float:
    return float(np.mean([getattr(each, what) for each in found]))


def _used(found: Sequence[Replayed]) -> float:
    return float(np.mean([len(each.heard) for each in found]))


def _accuracy(found: Sequence[Replayed]) -> float:
    return 100 * float(np.mean([each.task.winner(each.heard)[2] for each in found]))


def _seconds(found: Sequence[Replayed], quantile: float) -> float:
    return float(np.quantile([each.seconds for each in found], quantile))


def _saved(ours: Sequence[Replayed], theirs: Sequence[Replayed]) -> float:
    return 100 * (1 - sum(o.cost_usd for o in ours) / sum(t.cost_usd for t in theirs))
