"""Contract messages to a case, and what comes of it back to messages."""

from typing import Final

from gremium.v1 import jury_pb2, manifest_pb2
from jury_svc.case import Case, Event, Hearing, Juror, Settled, Started, Wrote
from jury_svc.quorum import Stop
from services.core.errors import InvalidRequestError
from services.models.asking import participation_to_wire
from services.models.roster import Roster
from services.runtime.wire import (
    answer_to_wire,
    duration_from_wire,
    lease_from_wire,
    lease_to_wire,
    prompt_from_wire,
)

STOP_TO_WIRE: Final = {
    Stop.ALL_SETTLED: jury_pb2.STOP_REASON_ALL_SETTLED,
    Stop.QUORUM: jury_pb2.STOP_REASON_QUORUM,
    Stop.DEADLINE: jury_pb2.STOP_REASON_DEADLINE,
    Stop.QUORUM_IMPOSSIBLE: jury_pb2.STOP_REASON_QUORUM_IMPOSSIBLE,
}


def case_from_wire(request: jury_pb2.DeliberateRequest, roster: Roster) -> Case:
    """Read what a jury is asked.

    Raises
    ------
    InvalidRequestError
        If two jurors have one name, or no answer to the prompt could be read.
    UnknownModelError
        If the roster has no such model.
    """
    names = [juror.name for juror in request.jurors]
    if len(set(names)) < len(names):
        problem = f"must have different names, not {names}"
        raise InvalidRequestError(f"jurors {problem}", violations=(("jurors", problem),))
    return Case(
        prompt=prompt_from_wire(request.prompt),
        jurors=tuple(_juror_from_wire(juror, roster) for juror in request.jurors),
        quorum=request.quorum,
        grace_s=duration_from_wire(request.grace),
        lease=lease_from_wire(request.lease),
    )


def _juror_from_wire(juror: jury_pb2.JurorSpec, roster: Roster) -> Juror:
    return Juror(
        name=juror.name,
        model=roster.get(juror.model),
        instruction=juror.instruction,
        timeout_s=duration_from_wire(juror.timeout),
    )


def hearing_to_wire(hearing: Hearing, *, tier: str) -> jury_pb2.DeliberateResponse:
    return jury_pb2.DeliberateResponse(
        answers=[answer_to_wire(end.answer) for end in hearing.settled if end.answer is not None],
        participations=[_participation(end, tier) for end in hearing.settled],
        quorum_met=hearing.quorum_met,
        stop_reason=STOP_TO_WIRE[hearing.stop],
        unspent=lease_to_wire(hearing.unspent),
    )


def event_to_wire(event: Event | Hearing, *, tier: str) -> jury_pb2.DeliberateStreamResponse:
    match event:
        case Started(juror):
            started = jury_pb2.JurorStarted(juror=juror.name, model=juror.model.spec.model)
            return jury_pb2.DeliberateStreamResponse(started=started)
        case Wrote():
            delta = jury_pb2.JurorDelta(juror=event.juror, text=event.text)
            return jury_pb2.DeliberateStreamResponse(delta=delta)
        case Settled():
            settled = jury_pb2.JurorSettled(
                participation=_participation(event, tier),
                answer=answer_to_wire(event.answer) if event.answer is not None else None,
            )
            return jury_pb2.DeliberateStreamResponse(settled=settled)
        case Hearing():
            return jury_pb2.DeliberateStreamResponse(done=hearing_to_wire(event, tier=tier))


def _participation(end: Settled, tier: str) -> manifest_pb2.Participation:
    return participation_to_wire(
        end.asked,
        stage=manifest_pb2.STAGE_JURY,
        name=end.juror.name,
        model=end.juror.model,
        tier=tier,
    )
