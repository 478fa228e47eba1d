"""Says what happens while a question is answered. Pure: events in, lines and rows out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gremium.v1.ensemble_pb2 import AskStreamResponse
from gremium.v1.manifest_pb2 import Manifest, Participation
from services.cli import telling
from services.cli.words import counted, harmless
from services.runtime.wire import duration_from_wire

TAIL_CHARS: Final = 60
WORD_CHARS: Final = 9
"""Width of the word that a line begins with."""
LINE_CHARS: Final = 80


@dataclass(slots=True)
class Row:
    """One juror on the board."""

    juror: str
    model: str
    step: str = ""
    tier: str = ""
    state: str = "asked"
    text: str = ""

    @property
    def label(self) -> str:
        """Its name, after that of the step; a model that does a step is called as the step."""
        return telling.labelled(self.step, self.juror)

    @property
    def tail(self) -> str:
        """The end of what it wrote, on one line."""
        line = harmless(" ".join(self.text[-4 * TAIL_CHARS :].split()))
        return line if len(line) <= TAIL_CHARS else f"…{line[1 - TAIL_CHARS :]}"


class Board:
    """Who was asked, how far each one is, and what was said of their answers."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.lines: list[str] = []

    def take(self, event: AskStreamResponse) -> None:
        """Note an event. A juror of another step or tier may have the same name."""
        match event.WhichOneof("event"):
            case "juror_started":
                started = event.juror_started
                self.rows.append(Row(started.juror, started.model, event.step, event.tier))
            case "juror_delta":
                for row in self._latest(event, event.juror_delta.juror):
                    row.state, row.text = "writing", row.text + event.juror_delta.text
            case "juror_settled":
                self._settle(event)
            case _:
                self.lines += line_of(event)

    def _settle(self, event: AskStreamResponse) -> None:
        part = event.juror_settled.participation
        rows = list(self._latest(event, part.name))
        if not rows:
            rows = [Row(part.name, part.model, event.step, event.tier)]
            self.rows += rows
        for row in rows:
            row.state = _ended(part)
            row.text = event.juror_settled.answer.text or row.text

    def _latest(self, event: AskStreamResponse, juror: str) -> Iterator[Row]:
        """The last row of a juror of the event's step and tier, if it has one."""
        wanted = (event.step, event.tier, juror)
        yield from [row for row in self.rows if (row.step, row.tier, row.juror) == wanted][-1:]


class Lines:
    """Tells events as lines. Words come by the line, so that those of several jurors do not mix."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, str, str], str] = {}
        """By step, tier and juror, what each wrote of a line that is not full; if it wrote any."""

    def take(self, event: AskStreamResponse) -> list[str]:
        """What there is to tell now."""
        match event.WhichOneof("event"):
            case "juror_delta":
                name, text = event.juror_delta.juror, event.juror_delta.text
                who = event.step, event.tier, name
                full, self._begun[who] = _broken(self._begun.get(who, "") + text)
                return _says(telling.labelled(event.step, name), full)
            case "juror_settled":
                settled = event.juror_settled
                name = settled.participation.name
                who = event.step, event.tier, name
                full, rest = _broken(self._begun.pop(who, settled.answer.text))
                return [*_says(telling.labelled(event.step, name), [*full, rest]), *line_of(event)]
            case _:
                return line_of(event)


def _broken(text: str) -> tuple[list[str], str]:
    """Lines that are full, and the one that is not yet."""
    *full, rest = text.split("\n")
    while len(rest) > LINE_CHARS:
        at = rest.rfind(" ", 1, LINE_CHARS + 1)
        at = at if at > 0 else LINE_CHARS
        full.append(rest[:at])
        rest = rest[at:].removeprefix(" ")
    return full, rest


def _says(juror: str, lines: list[str]) -> list[str]:
    return [f"says     {juror}: {line}" for line in lines if line.strip()]


def line_of(event: AskStreamResponse) -> list[str]:
    """An event as at most one line; a juror's words, the reply and a failure are none."""
    match event.WhichOneof("event"):
        case "juror_started" | "juror_settled":
            return [_of_juror(event)]
        case "searched":
            part = event.searched.participation
            found = counted(len(event.searched.passages), "passage")
            return [f"search   {event.step} {_ended(part)}: {found}"]
        case _:
            return [_of_step(event.step, line) for line in _course(event)]


def _of_juror(event: AskStreamResponse) -> str:
    if event.HasField("juror_started"):
        started = event.juror_started
        return f"asked    {telling.labelled(event.step, started.juror)} ({started.model})"
    part = event.juror_settled.participation
    return f"juror    {telling.labelled(event.step, part.name)} {_ended(part)}"


def _course(event: AskStreamResponse) -> list[str]:
    """How the request, or one of its steps, was laid out, counted and judged."""
    match event.WhichOneof("event"):
        case "routed" | "tallied" | "judged":
            return telling.story(_alone(event))
        case "planned":
            steps = ", ".join(step.id for step in event.planned.steps)
            return [f"plan     {steps}: {event.planned.reason_text}"]
        case "escalated":
            gone = event.escalated
            return [f"next     {gone.from_tier} to {gone.to_tier}: {gone.reason_text}"]
        case _:
            return []


def _of_step(step: str, line: str) -> str:
    """A line whose first word is followed by the step that it is about."""
    return f"{line[:WORD_CHARS]}{telling.of_step(step, line[WORD_CHARS:])}"


def _alone(event: AskStreamResponse) -> Manifest:
    """A manifest that knows nothing but this event."""
    return Manifest(
        route=event.routed if event.HasField("routed") else None,
        tallies=[event.tallied] if event.HasField("tallied") else [],
        verdicts=[event.judged] if event.HasField("judged") else [],
    )


def _ended(part: Participation) -> str:
    return f"{telling.ending(part)} in {duration_from_wire(part.duration):.2f} s"
