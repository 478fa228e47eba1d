"""JudgeService over gRPC: check, audit, pack."""

from typing import Any

import grpc

from gremium.v1 import judge_pb2, judge_pb2_grpc
from judge_svc import traced
from judge_svc.audit import Audit, independent, outside
from judge_svc.checks import checked
from judge_svc.comparing import compared
from judge_svc.promised import evidenced, promised
from judge_svc.verdict import vetoed
from judge_svc.weighing import signals_on, size_of
from judge_svc.wire import (
    audit_to_wire,
    case_from_wire,
    contest_from_wire,
    fit_from_wire,
    ranking_to_wire,
    standing_from_wire,
)
from services.core.deadline import Deadline
from services.models.roster import Roster
from services.models.states import ModelStatusServicer
from services.runtime import names
from services.runtime.aside import aside
from services.runtime.calls import deadline_from
from services.runtime.rules import check_aside
from services.runtime.spans import part_span
from services.runtime.wire import answer_from_wire, lease_from_wire, prompt_aside


class JudgeServicer(judge_pb2_grpc.JudgeServiceServicer):
    """Thin: holds what `composed` gave it and delegates every decision."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self.models = ModelStatusServicer("judge", roster)
        """Tells how the models of the roster fare."""

    async def Verify(
        self, request: judge_pb2.VerifyRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> judge_pb2.VerifyResponse:
        await check_aside(request)
        with part_span("verdict", {names.JUROR: request.answer.juror}) as span:
            response = await self._verified(request, deadline_from(context))
            traced.tell(span, response.verdict)
        return response

    async def _verified(
        self, request: judge_pb2.VerifyRequest, deadline: Deadline
    ) -> judge_pb2.VerifyResponse:
        prompt, answer = await prompt_aside(request.prompt), answer_from_wire(request.answer)
        judges = [self._roster.get(name) for name in request.judge.models]
        lease = lease_from_wire(request.lease)

        checks = await aside(size_of(prompt, answer), checked, prompt, answer)
        if (veto := vetoed(checks)) is not None:
            return audit_to_wire(Audit(veto, (), lease), juror=answer.juror)
        standing = standing_from_wire(request)
        able = independent(judges, answer.family)
        fair = outside(able, standing.peers)
        recused = [judge for judge in able if judge not in fair]
        case = case_from_wire(prompt, answer, request.judge, recused=recused)
        fit = fit_from_wire(request.fitted) if request.HasField("fitted") else None
        size = size_of(prompt, answer, *standing.peers)
        found = aside(size, signals_on, prompt, answer, standing)
        if fit is None:
            audit = await evidenced(case, checks, fair, found, lease=lease, deadline=deadline)
        else:
            signals = await found
            audit = await promised(case, checks, fair, signals, fit, lease=lease, deadline=deadline)

        return audit_to_wire(audit, juror=answer.juror)

    async def Rank(
        self, request: judge_pb2.RankRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> judge_pb2.RankResponse:
        await check_aside(request)
        deadline = deadline_from(context)
        contest = await aside(request.ByteSize(), contest_from_wire, request)
        judges = [self._roster.get(name) for name in request.judge.models]
        lease = lease_from_wire(request.lease)

        ranking = await compared(
            contest,
            outside(judges, contest.answers),
            reliabilities=dict(request.reliabilities) or None,
            lease=lease,
            deadline=deadline,
        )

        return ranking_to_wire(ranking)
