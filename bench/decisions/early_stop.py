"""Seven cheap models on tool calls: stopping early costs no answer, and saves calls and time.

The seven are named; of other models those that wrote the least are taken, a token at one price.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from bench.decisions import Row, apart
from bench.decisions.early_stop_jury import Heard, heard_by_the_jury
from bench.decisions.early_stop_tasks import (
    CHEAP7,
    MIN_SHARE,
    PROMPTS,
    QUORUM,
    Task,
    jittered,
    tasks_of,
)
from bench.recordings import files, located, stem
from jury_svc.leads import Poll, Vote
from jury_svc.quorum import Stop, stop_reason
from jury_svc.stopping import Rule, Terms, could_decide, is_decided, may_change
from jury_svc.waves import waves

WAVES: Final = (4,)
REPLAYS: Final = 20
SAMPLE: Final = 60
"""Tasks that the real jury is asked."""
MOST_CALLS: Final = 4.9
MOST_P95_S: Final = 2.8
NAME: Final = "early stop, seven cheap models on tool calls"
UNCATCHABLE: Final = Terms(min_share=MIN_SHARE)


@dataclass(frozen=True)
class Reach:
    """What early stopping of one recording is called, and what it has to reach."""

    name: str
    calls: float
    p95_s: float


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
        whole = self.task.winner(range(len(self.task.voters)))
        return self.task.winner(self.heard)[:2] == whole[:2]


def rows(data: Path) -> Iterator[Row]:
    known = located(data, "jury/bfcl_25models")
    every = dict.fromkeys([known, *files(data, "tool calls")])
    yield from apart(partial(_measured, path) for path in every)


def _measured(path: Path) -> Iterator[Row]:
    """By recorded latencies, then with the real jury on a sample."""
    recorded = tasks_of(path)
    whole = [_waited(task) for task in recorded]
    early = [_replayed(task, UNCATCHABLE) for task in recorded]
    moved = [_replayed(jittered(t, rng), UNCATCHABLE) for rng in _rngs() for t in recorded]
    cheap_first = [_replayed(task, UNCATCHABLE, WAVES) for task in recorded]

    reach = _reach(path, recorded, whole)
    yield _same(reach.name, early, moved)
    yield _calls(reach, recorded, early, whole)
    yield _p95(reach, early, moved, whole)
    yield _money(reach.name, early, cheap_first, whole)
    yield from _real(reach.name, recorded[:: max(1, len(recorded) // SAMPLE)][:SAMPLE])


def _reach(path: Path, recorded: Sequence[Task], whole: Sequence[Replayed]) -> Reach:
    """What is published, or else less than waiting for all takes."""
    prices = recorded[0].prices
    if prices == CHEAP7 and len(recorded) == PROMPTS:
        return Reach(NAME, MOST_CALLS, MOST_P95_S)
    name = f"early stop, {stem(path)}, {len(prices)} models"
    return Reach(name, float(len(prices)), _seconds(whole, 0.95))


def _same(name: str, early: Sequence[Replayed], jittered: Sequence[Replayed]) -> Row:
    same, in_jitter = _mean(early, "same"), _mean(jittered, "same")
    note = f"{REPLAYS} replays with jittered latencies {100 * in_jitter:.4g}"
    holds = min(same, in_jitter) == 1.0
    return Row(f"{name}: same answers as waiting for all, %", 100 * same, None, 100, holds, note)


def _calls(
    reach: Reach, recorded: Sequence[Task], early: Sequence[Replayed], whole: Sequence[Replayed]
) -> Row:
    ours = _used(early)
    others = {
        "beta .90": Terms(rule=Rule.BETA, gamma=0.9),
        "beta .85": Terms(rule=Rule.BETA, gamma=0.85),
        "agree 3": Terms(rule=Rule.AGREE, agree=3),
    }
    notes = [f"right {_accuracy(early):.1f} %, all {_accuracy(whole):.1f} %"]
    for rule, terms in others.items():
        found = [_replayed(task, terms) for task in recorded]
        notes.append(f"{rule}: {_used(found):.2f} calls, right {_accuracy(found):.1f} %")
    return Row(
        f"{reach.name}: calls",
        ours,
        _used(whole),
        reach.calls,
        ours <= reach.calls,
        "; ".join(notes),
    )


def _p95(
    reach: Reach, early: Sequence[Replayed], jittered: Sequence[Replayed], whole: Sequence[Replayed]
) -> Row:
    ours, theirs = _seconds(early, 0.95), _seconds(whole, 0.95)
    note = (
        f"p50 {_seconds(early, 0.5):.2f} instead of {_seconds(whole, 0.5):.2f} s, "
        f"jittered p95 {_seconds(jittered, 0.95):.2f} s"
    )
    return Row(f"{reach.name}: p95, s", ours, theirs, reach.p95_s, ours <= reach.p95_s, note)


def _money(
    name: str, early: Sequence[Replayed], cheap_first: Sequence[Replayed], whole: Sequence[Replayed]
) -> Row:
    ours, all_usd = _saved(cheap_first, whole), sum(each.cost_usd for each in whole)
    note = (
        f"of {1e3 * all_usd / len(whole):.3f} USD per 1,000; {_mean(cheap_first, 'asked'):.2f} calls, "
        f"p95 {_seconds(cheap_first, 0.95):.2f} s, same answers {100 * _mean(cheap_first, 'same'):.4g} %; "
        f"all at once: {_saved(early, whole):.1f} % saved, for whoever is cut off is billed"
    )
    holds = ours > 0.0 and _mean(cheap_first, "same") == 1.0
    return Row(f"{name}: money saved by a first wave of 4, %", ours, 0.0, 0.0, holds, note)


def _real(name: str, sample: Sequence[Task]) -> Iterator[Row]:
    """The real jury, its models as slow as recorded on a faster clock."""
    found = asyncio.run(_asked(sample))
    same = [
        task.winner(heard.jurors)[:2] == task.winner(range(len(task.voters)))[:2]
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
        f"{name}: same answers by the real jury, %",
        100 * float(np.mean(same)),
        None,
        100,
        holds,
        note,
    )


async def _asked(sample: Sequence[Task]) -> list[Heard]:
    return [
        await heard_by_the_jury(task.row, task.prices, task.voters, UNCATCHABLE, QUORUM)
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
    everyone = tuple(range(len(task.voters)))
    seconds = float(task.latency_s.max())
    return Replayed(task, everyone, len(everyone), seconds, float(task.cost_usd.sum()))


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
