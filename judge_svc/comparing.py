"""Ask judge models about pairs of answers, all at once, in both orders."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from judge_svc.audit import independent, seeing
from judge_svc.duel import duel_prompt, read_choice
from judge_svc.panel import Vote, by_pair, ruling, seated
from judge_svc.ranking import Better, Compared, Comparison, Standing, pairs, standings
from services.core.answers import Answer, ModelRequest, Status
from services.core.deadline import Deadline
from services.core.lease import Lease, Purse, output_limits
from services.core.prompts import Prompt
from services.core.unreadable import UnreadableError
from services.core.visible import visible_text
from services.models.asked import Asked, unspent
from services.models.asking import ask
from services.models.backend import RosterModel
from services.models.pricing import dearest, limited, spare
from services.runtime.aside import aside

Pair = tuple[int, int]
"""Indices of two answers."""
Pairs = list[Pair]


@dataclass(frozen=True, slots=True)
class Contest:
    """Answers to compare."""

    prompt: Prompt
    answers: tuple[Answer, ...]
    timeout_s: float
    """Longest time to wait for one choice."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """How the answers compared, and what it took."""

    jurors: tuple[str, ...]
    standings: tuple[Standing, ...]
    """Best first."""
    asked: tuple[tuple[RosterModel, Asked], ...]
    unspent: Lease


@dataclass(frozen=True, slots=True)
class Duel:
    """Two answers, one order, and who chooses."""

    one: int
    two: int
    judge: RosterModel
    request: ModelRequest


@dataclass(frozen=True, slots=True)
class Round:
    """Comparisons that were asked for at once."""

    told: list[Vote]
    failed: Pairs
    """Asked about in vain; pairs that the lease does not pay for are not among them."""
    asked: list[tuple[RosterModel, Asked]]


async def compared(
    contest: Contest,
    judges: Sequence[RosterModel],
    *,
    reliabilities: Mapping[str, float] | None = None,
    lease: Lease,
    deadline: Deadline,
) -> Ranking:
    """Compare all pairs that a judge is independent of, as far as the lease goes.

    By one judge each, or by all that `reliabilities` count.
    """
    if reliabilities is None:
        return await _by_one(contest, judges, lease=lease, deadline=deadline)
    return await _by_panel(contest, judges, reliabilities, lease=lease, deadline=deadline)


async def _by_panel(
    contest: Contest,
    judges: Sequence[RosterModel],
    reliabilities: Mapping[str, float],
    *,
    lease: Lease,
    deadline: Deadline,
) -> Ranking:
    """Let every judge that counts compare every pair, all at once, the most reliable one first."""
    alike, open_pairs = _split(contest.answers)
    by_name = {judge.name: judge for judge in judges}
    heard = [by_name[name] for name in seated(list(by_name), reliabilities)]
    seats = [(pair, j) for j in heard for pair in open_pairs if _fair(contest, pair, [j])]
    ended = await _round(contest, seats, lease=lease, deadline=deadline)
    rulings = [ruling(votes, reliabilities) for votes in by_pair(ended.told)]
    told: list[Compared] = [Comparison(a, b, "tie", "tie") for a, b in alike]
    told += rulings
    return _ranking(contest, told, ended.asked, unspent(lease, [a for _, a in ended.asked]))


async def _by_one(
    contest: Contest, judges: Sequence[RosterModel], *, lease: Lease, deadline: Deadline
) -> Ranking:
    """Let one judge compare each pair; when it gives no choice, the next one, in both orders."""
    alike, open_pairs = _split(contest.answers)
    told = [Comparison(a, b, "tie", "tie") for a, b in alike]
    asked: list[tuple[RosterModel, Asked]] = []
    benches = {pair: _fair(contest, pair, judges) for pair in open_pairs}
    left = lease
    while any(benches.values()) and deadline.left_s > 0.0:
        seats = [(pair, bench[0]) for pair, bench in benches.items() if bench]
        ended = await _round(contest, seats, lease=left, deadline=deadline)
        told += [vote.comparison for vote in ended.told]
        asked += ended.asked
        left = unspent(lease, [each for _, each in asked])
        benches = {pair: benches[pair][1:] for pair in ended.failed}
    return _ranking(contest, told, asked, left)


def _ranking(
    contest: Contest,
    told: Sequence[Compared],
    asked: Sequence[tuple[RosterModel, Asked]],
    unspent: Lease,
) -> Ranking:
    return Ranking(
        jurors=tuple(answer.juror for answer in contest.answers),
        standings=tuple(standings(len(contest.answers), told)),
        asked=tuple(asked),
        unspent=unspent,
    )


def _split(answers: Sequence[Answer]) -> tuple[Pairs, Pairs]:
    """Pairs of equal answers, about which nobody need be asked, and the others."""
    said = [(visible_text(answer.text), answer.tool_calls) for answer in answers]
    every = pairs(len(answers))
    return [p for p in every if said[p[0]] == said[p[1]]], [
        p for p in every if said[p[0]] != said[p[1]]
    ]


def _fair(contest: Contest, pair: Pair, judges: Sequence[RosterModel]) -> list[RosterModel]:
    """Judges that are independent of both authors, in order of preference."""
    first, second = (contest.answers[i].family for i in pair)
    return independent(independent(seeing(judges, contest.prompt), first), second)


async def _round(
    contest: Contest,
    seats: Sequence[tuple[Pair, RosterModel]],
    *,
    lease: Lease,
    deadline: Deadline,
) -> Round:
    """Let each judge choose between its pair in both orders, as many as the lease pays for."""
    size = sum(answer.size for answer in contest.answers)
    duels = await aside(size, lambda: _payable(_duels(contest, seats), lease))
    purse = spare(lease, *((request, duel.judge.spec) for duel, request in duels))
    choices = await asyncio.gather(
        *(_chosen(contest, *paid, deadline=deadline, purse=purse) for paid in duels)
    )
    told = _comparisons([duel for duel, _ in duels], [better for _, better in choices])
    return Round(
        told=[vote for _, vote in told if vote is not None],
        failed=[pair for pair, vote in told if vote is None],
        asked=[(duel.judge, each) for (duel, _), (each, _) in zip(duels, choices, strict=True)],
    )


def _comparisons(
    duels: Sequence[Duel], choices: Sequence[Better | None]
) -> list[tuple[Pair, Vote | None]]:
    """What came of each seat; None unless both orders, which stand side by side, were chosen in."""
    told: list[tuple[Pair, Vote | None]] = []
    for duel, forwards, backwards in zip(duels[::2], choices[::2], choices[1::2], strict=True):
        vote = None
        if forwards is not None and backwards is not None:
            vote = Vote(duel.judge.name, Comparison(duel.one, duel.two, forwards, backwards))
        told.append(((duel.one, duel.two), vote))
    return told


def _duels(contest: Contest, seats: Sequence[tuple[Pair, RosterModel]]) -> list[Duel]:
    """Both orders of each seat, next to each other."""
    duels = []
    for pair, judge in seats:
        for one, two in (pair, pair[::-1]):
            prompt = duel_prompt(contest.prompt, contest.answers[one], contest.answers[two])
            duels.append(Duel(one, two, judge, ModelRequest(prompt)))
    return duels


def _payable(duels: Sequence[Duel], lease: Lease) -> list[tuple[Duel, ModelRequest]]:
    """The first duels that the lease pays for together, always both orders."""
    count = len(duels) if lease.model_calls is None else min(len(duels), lease.model_calls)
    calls = [dearest(duel.request, duel.judge.spec) for duel in duels]
    for n_duels in range(count - count % 2, 0, -2):
        limits = output_limits(calls[:n_duels], lease)
        paid = list(zip(duels[:n_duels], calls[:n_duels], limits, strict=True))
        if all(call.is_worth(most) for _, call, most in paid):
            return [(duel, limited(duel.request, most, call)) for duel, call, most in paid]
    return []


async def _chosen(
    contest: Contest, duel: Duel, request: ModelRequest, *, deadline: Deadline, purse: Purse
) -> tuple[Asked, Better | None]:
    """What a judge replied, and what it chose; a reply that is no choice is unusable."""
    asked = await ask(
        duel.judge, request, deadline=deadline, timeout_s=contest.timeout_s, purse=purse
    )
    if asked.status is not Status.ANSWERED or asked.reply is None:
        return asked, None
    one, two = contest.answers[duel.one], contest.answers[duel.two]
    try:
        text = asked.reply.text
        return asked, await aside(len(text), read_choice, text, one, two)
    except UnreadableError as err:
        told = replace(asked, status=Status.UNUSABLE, reason=err.reason, reason_text=str(err))
        return told, None
