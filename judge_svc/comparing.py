"""Ask judge models about pairs of answers, all at once, in both orders."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from judge_svc.audit import independent, seeing
from judge_svc.duel import duel_prompt, read_choice
from judge_svc.ranking import Better, Comparison, Standing, pairs, standings
from services.core.answers import Answer, ModelRequest, Status
from services.core.deadline import Deadline
from services.core.lease import Lease, output_limits
from services.core.prompts import Prompt
from services.core.unreadable import UnreadableError
from services.core.visible import visible_text
from services.models.asking import Asked, ask
from services.models.backend import RosterModel
from services.models.pricing import dearest, limited


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


async def compared(
    contest: Contest, judges: Sequence[RosterModel], *, lease: Lease, deadline: Deadline
) -> Ranking:
    """Compare all pairs that a judge is independent of, as far as the lease goes."""
    alike, open_pairs = _split(contest.answers)
    duels = _payable(_duels(contest, open_pairs, judges), lease)
    choices = await asyncio.gather(
        *(_chosen(contest, duel, request, deadline=deadline) for duel, request in duels)
    )
    said = {
        (duel.one, duel.two): better
        for (duel, _), (_, better) in zip(duels, choices, strict=True)
        if better is not None
    }
    told = [Comparison(a, b, "tie", "tie") for a, b in alike]
    told += [
        Comparison(a, b, said[a, b], said[b, a])
        for a, b in open_pairs
        if (a, b) in said and (b, a) in said
    ]
    asked = tuple((duel.judge, each) for (duel, _), (each, _) in zip(duels, choices, strict=True))
    return Ranking(
        jurors=tuple(answer.juror for answer in contest.answers),
        standings=tuple(standings(len(contest.answers), told)),
        asked=asked,
        unspent=_unspent(lease, [each for _, each in asked]),
    )


Pairs = list[tuple[int, int]]


def _split(answers: Sequence[Answer]) -> tuple[Pairs, Pairs]:
    """Pairs of equal answers, about which nobody need be asked, and the others."""
    said = [(visible_text(answer.text).strip(), answer.tool_calls) for answer in answers]
    every = pairs(len(answers))
    return [p for p in every if said[p[0]] == said[p[1]]], [
        p for p in every if said[p[0]] != said[p[1]]
    ]


def _duels(contest: Contest, of: Pairs, judges: Sequence[RosterModel]) -> list[Duel]:
    """Both orders of each pair that has a judge, next to each other."""
    able = seeing(judges, contest.prompt)
    duels = []
    for pair in of:
        first, second = (contest.answers[i].family for i in pair)
        fair = independent(independent(able, first), second)
        for one, two in (pair, pair[::-1]) if fair else ():
            prompt = duel_prompt(contest.prompt, contest.answers[one], contest.answers[two])
            duels.append(Duel(one, two, fair[0], ModelRequest(prompt)))
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
    contest: Contest, duel: Duel, request: ModelRequest, *, deadline: Deadline
) -> tuple[Asked, Better | None]:
    """What a judge replied, and what it chose; a reply that is no choice is unusable."""
    asked = await ask(duel.judge, request, deadline=deadline, timeout_s=contest.timeout_s)
    if asked.status is not Status.ANSWERED or asked.reply is None:
        return asked, None
    one, two = contest.answers[duel.one], contest.answers[duel.two]
    try:
        return asked, read_choice(asked.reply.text, one, two)
    except UnreadableError as err:
        told = replace(asked, status=Status.UNUSABLE, reason=err.reason, reason_text=str(err))
        return told, None


def _unspent(lease: Lease, asked: Sequence[Asked]) -> Lease:
    return lease.less(
        cost_usd=sum(each.cost_usd for each in asked),
        model_calls=sum(each.model_calls for each in asked),
        tokens=sum(each.usage.total_tokens for each in asked),
    )
