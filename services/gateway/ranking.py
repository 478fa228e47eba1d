"""Asks the judge to compare answers, before they are counted by its scores."""

import logging
from collections import Counter
from collections.abc import Sequence

from gremium.v1 import manifest_pb2, types_pb2
from services.config.tree import Judge
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.core.visible import visible_text
from services.gateway import budget, losses, messages
from services.gateway.case import Case
from services.gateway.mesh import Mesh
from services.gateway.record import Record

logger = logging.getLogger(__name__)

MOST_ANSWERS = 16
"""More are not compared; whoever is left out counts with the mean score."""


async def standings(
    case: Case,
    answers: Sequence[types_pb2.Answer],
    *,
    tier: str,
    until: Deadline,
    mesh: Mesh,
    record: Record,
) -> list[manifest_pb2.Standing]:
    """How the answers compare, best first; empty when there is nothing to compare or nobody to ask.

    Something of the budget is kept for the verdict. Where no judge compared any two
    that differ, the weights alone count, and the request is degraded.
    """
    judge = case.ensemble.judge
    if judge is None or case.ensemble.aggregate.method != "weighted" or len(answers) < 2:
        return []
    compared = list(answers)[:MOST_ANSWERS]
    try:
        ranked = await _ranked(
            case, judge, compared, tier=tier, until=until, mesh=mesh, record=record
        )
    except GremiumError as err:
        _by_weight_alone(record, str(err))
        return []
    if not _is_judged(compared, ranked):
        _by_weight_alone(record, "no two that differ were compared")
    return ranked


def _is_judged(
    answers: Sequence[types_pb2.Answer], ranked: Sequence[manifest_pb2.Standing]
) -> bool:
    """Whether a judge compared any two that differ, or none do; equal ones tie without a judge."""
    said = {each.juror: _said(each) for each in answers}
    alike = Counter(said.values())
    return len(alike) == 1 or any(each.comparisons >= alike[said[each.juror]] for each in ranked)


def _said(answer: types_pb2.Answer) -> tuple[str, ...]:
    calls = [call.SerializeToString(deterministic=True).hex() for call in answer.tool_calls]
    return visible_text(answer.text), *calls


def _by_weight_alone(record: Record, why: str) -> None:
    record.degraded = True
    logger.warning("answers are counted without judge scores: %s", why)


async def _ranked(
    case: Case,
    judge: Judge,
    answers: Sequence[types_pb2.Answer],
    *,
    tier: str,
    until: Deadline,
    mesh: Mesh,
    record: Record,
) -> list[manifest_pb2.Standing]:
    spendable, kept = budget.before_verdict(record.lease)
    request = messages.rank_request(
        case, judge, answers, spendable, tier=tier, late=record.late_judges
    )
    seats = losses.duel_seats(case, judge, answers, spendable, tier=tier)
    with record.keeping(kept, of=spendable):
        with record.stage(manifest_pb2.STAGE_JUDGE, deadline=until, tier=tier, seats=seats) as part:
            response = await mesh.rank(request, deadline=until)
        record.ranked(response, part)
    return [
        manifest_pb2.Standing(
            juror=ranked.juror,
            score=ranked.score,
            comparisons=ranked.comparisons,
            position_inconsistent=ranked.position_inconsistent,
        )
        for ranked in response.ranking
    ]
