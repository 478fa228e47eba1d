"""Says what happens while a question is answered. Pure: events in, lines and rows out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gremium.v1.ensemble_pb2 import AskStreamResponse
from gremium.v1.manifest_pb2 import Manifest, Participation
from services.cli import telling
from services.runtime.wire import duration_from_wire

TAIL_CHARS: Final = 60
LINE_CHARS: Final = 80


@dataclass(slots=True)
class Row:
    """One juror on the board."""

    juror: str
    model: str
    state: str = "asked"
    text: str = ""

    @property
    def tail(self) -> str:
        """The end of what it wrote, on one line."""
        line = " ".join(self.text[-4 * TAIL_CHARS :].split())
        return line if len(line) <= TAIL_CHARS else f"…{line[1 - TAIL_CHARS :]}"


class Board:
    """Who was asked, how far each one is, and what was said of their answers."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.lines: list[str] = []

    def take(self, event: AskStreamResponse) -> None:
        """Note an event. A juror of a later tier may have the name of an earlier one."""
        match event.WhichOneof("event"):
            case "juror_started":
                started = event.juror_started
                self.rows.append(Row(started.juror, started.model))
            case "juror_delta":
                for row in self._latest(event.juror_delta.juror):
                    row.state, row.text = "writing", row.text + event.juror_delta.text
            case "juror_settled":
                self._settle(event)
            case _:
                self.lines += line_of(event)

    def _settle(self, event: AskStreamResponse) -> None:
        part = event.juror_settled.participation
        rows = list(self._latest(part.name))
        if not rows:
            rows = [Row(part.name, part.model)]
            self.rows += rows
        for row in rows:
            row.state = _ended(part)
            row.text = event.juror_settled.answer.text or row.text

    def _latest(self, juror: str) -> Iterator[Row]:
        """The juror's last row, if it has one."""
        yield from [row for row in self.rows if row.juror == juror][-1:]


class Lines:
    """Tells events as lines. Words come by the line, so that those of several jurors do not mix."""

    def __init__(self) -> None:
        self._begun: dict[str, str] = {}
        """What each juror wrote of a line that is not full; of those that wrote anything."""

    def take(self, event: AskStreamResponse) -> list[str]:
        """What there is to tell now."""
        match event.WhichOneof("event"):
            case "juror_delta":
                name, text = event.juror_delta.juror, event.juror_delta.text
                full, self._begun[name] = _broken(self._begun.get(name, "") + text)
                return _says(name, full)
            case "juror_settled":
                settled = event.juror_settled
                name = settled.participation.name
                full, rest = _broken(self._begun.pop(name, settled.answer.text))
                return [*_says(name, [*full, rest]), *line_of(event)]
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
        case "routed" | "tallied" | "judged":
            return telling.story(_alone(event))
        case "juror_started":
            return [f"asked    {event.juror_started.juror} ({event.juror_started.model})"]
        case "juror_settled":
            part = event.juror_settled.participation
            return [f"juror    {part.name} {_ended(part)}"]
        case "escalated":
            gone = event.escalated
            return [f"next     {gone.from_tier} to {gone.to_tier}: {gone.reason_text}"]
        case _:
            return []


def _alone(event: AskStreamResponse) -> Manifest:
    """A manifest that knows nothing but this event."""
    return Manifest(
        route=event.routed if event.HasField("routed") else None,
        tallies=[event.tallied] if event.HasField("tallied") else [],
        verdicts=[event.judged] if event.HasField("judged") else [],
    )


def _ended(part: Participation) -> str:
    return f"{telling.ending(part)} in {duration_from_wire(part.duration):.2f} s"
