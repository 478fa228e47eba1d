"""Tells whoever watches a request what happens to it. Nobody watches a plain Ask."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gremium.v1 import ensemble_pb2, jury_pb2, manifest_pb2

Tell = Callable[[ensemble_pb2.AskStreamResponse], None]
"""Takes note of an event; must not block."""
JuryWatch = Callable[[jury_pb2.DeliberateStreamResponse], None]
"""Takes note of what a jury tells, its result excepted; must not block."""

JURY_EVENTS: Final = {
    "started": "juror_started",
    "delta": "juror_delta",
    "settled": "juror_settled",
}
"""Events of a jury by what they are called in a request's stream."""


@dataclass
class Watch:
    """Who watches a request."""

    tell: Tell
    began: bool = False
    """Whether the request is recorded: from then on its failure is an event too."""


def of_jurors(tell_watcher: Tell, tier: str) -> JuryWatch:
    """What the jury of a tier tells, passed on as events of the request."""

    def tell(told: jury_pb2.DeliberateStreamResponse) -> None:
        kind = told.WhichOneof("event") or ""
        if kind in JURY_EVENTS:
            event = ensemble_pb2.AskStreamResponse(
                **{JURY_EVENTS[kind]: getattr(told, kind)}, tier=tier
            )
            if event.juror_settled.HasField("answer"):
                event.juror_settled.answer.tier = tier
            tell_watcher(event)

    return tell


def ended(part: manifest_pb2.Participation, *, step: str) -> ensemble_pb2.AskStreamResponse | None:
    """That a juror or a search ended, told by the gateway; None of what is neither."""
    if part.stage == manifest_pb2.STAGE_RETRIEVAL:
        found = ensemble_pb2.Searched(participation=part)
        return ensemble_pb2.AskStreamResponse(searched=found, step=step)
    if part.stage == manifest_pb2.STAGE_JURY:
        settled = jury_pb2.JurorSettled(participation=part)
        tier = "" if step else part.tier
        return ensemble_pb2.AskStreamResponse(juror_settled=settled, step=step, tier=tier)
    return None


def of_step(watch: Watch, step: str) -> Watch:
    """Who watches a step: the same, who is told that it is of the step."""

    def tell(event: ensemble_pb2.AskStreamResponse) -> None:
        event.step = f"{step}/{event.step}" if event.step else step
        _name_as_recorded(event, step)
        watch.tell(event)

    return Watch(tell, began=True)


def _name_as_recorded(event: ensemble_pb2.AskStreamResponse, step: str) -> None:
    """Give what the event tells the names that it has in the request's manifest."""
    match event.WhichOneof("event"):
        case "juror_settled":
            event.juror_settled.participation.tier = step
            if event.juror_settled.HasField("answer"):
                event.juror_settled.answer.step = step
        case "tallied":
            event.tallied.tier = step
        case "judged":
            event.judged.tier = step
        case "searched":
            event.searched.participation.tier = step
