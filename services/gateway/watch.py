"""Tells whoever watches a request what happens to it. Nobody watches a plain Ask."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gremium.v1 import ensemble_pb2, jury_pb2

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


def of_jurors(tell_watcher: Tell) -> JuryWatch:
    """What a jury tells, passed on as events of the request."""

    def tell(told: jury_pb2.DeliberateStreamResponse) -> None:
        kind = told.WhichOneof("event") or ""
        if kind in JURY_EVENTS:
            event = {JURY_EVENTS[kind]: getattr(told, kind)}
            tell_watcher(ensemble_pb2.AskStreamResponse(**event))

    return tell
