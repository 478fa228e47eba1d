"""Puts answers side by side, each under the class that its ballot belongs to. No I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gremium.v1 import manifest_pb2, types_pb2
from services.gateway.console.waterfall import LOOKS, UNKNOWN, given_seat
from services.gateway.console.wording import cut, status

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HUES: Final = 8
"""Classes that have a colour of their own; the rest share a quiet one, and keep their letters."""
VALUE_CHARS: Final = 160
SHARED_CHARS: Final = 80
"""Characters at the beginning of all values from which on these are left out: values are told apart
by where they differ."""
KEPT_CHARS: Final = 24
"""Characters before the difference that stay."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells a class at a glance: its letter first, its colour besides."""

    letter: str
    hue: int
    """In [1, 8]; 0 is the quiet one."""


@dataclass(frozen=True, slots=True)
class Klass:
    """Answers that count as the same."""

    mark: Mark
    value: str
    jurors: tuple[str, ...]
    share: float
    leads: bool
    abstains: bool
    p_correct: types_pb2.Probability | None
    left: float
    """Where its part of the bar of shares begins, percent."""
    width: float


@dataclass(frozen=True, slots=True)
class Count:
    """One tier's tally."""

    tally: manifest_pb2.Tally
    classes: tuple[Klass, ...]
    refused: tuple[manifest_pb2.Ballot, ...]
    """Ballots that are no votes."""


@dataclass(frozen=True, slots=True)
class Card:
    """One juror's answer."""

    nth: int
    """Place in the manifest's answers."""
    answer: types_pb2.Answer
    text: str
    whole: bool
    chars: int
    mark: Mark | None
    """None: it is no vote, or nothing was counted."""
    reason: str
    """Why it is no vote."""
    part: manifest_pb2.Participation | None
    given: bool
    place: str
    """Its step or tier."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A juror of whom there is no answer."""

    name: str
    tier: str
    look: str
    status: str
    reason: str
    reason_text: str


Marks = dict[str, Mark]


def marks(tallies: Sequence[manifest_pb2.Tally]) -> Marks:
    """A mark for each class by its key: the same answer has the same one in every tier."""
    keys = dict.fromkeys(each.key for tally in tallies for each in tally.classes)
    return {key: _mark(nth) for nth, key in enumerate(keys)}


def _mark(nth: int) -> Mark:
    rounds, place = divmod(nth, len(LETTERS))
    letter = LETTERS[place] + (str(rounds + 1) if rounds else "")
    return Mark(letter, nth + 1 if nth < HUES else 0)


def counts(manifest: manifest_pb2.Manifest) -> list[Count]:
    """Every tally, its classes marked."""
    known = marks(manifest.tallies)
    return [
        Count(
            tally,
            tuple(_classes(tally, known)),
            tuple(ballot for ballot in tally.ballots if not ballot.key),
        )
        for tally in manifest.tallies
    ]


def _classes(tally: manifest_pb2.Tally, known: Marks) -> Iterator[Klass]:
    left, shared = 0.0, shared_chars([each.value for each in tally.classes])
    for each in tally.classes:
        width = max(0.0, min(100.0 - left, 100.0 * each.share))
        yield Klass(
            mark=known[each.key],
            value=shortened(each.value, shared),
            jurors=tuple(each.jurors),
            share=each.share,
            leads=each.key == tally.leader,
            abstains=bool(tally.abstain_key) and each.key == tally.abstain_key,
            p_correct=each.p_correct if each.HasField("p_correct") else None,
            left=round(left, 3),
            width=round(width, 3),
        )
        left += width


def shared_chars(values: Sequence[str]) -> int:
    """Characters in which all of several values begin, if they are many; else 0.

    Examples
    --------
    >>> shared_chars(["x" * 100 + "a", "x" * 100 + "b"]), shared_chars(["ab", "ac"])
    (100, 0)
    """
    if len(values) < 2:
        return 0
    columns = enumerate(zip(*values, strict=False))
    shared = next((at for at, chars in columns if len(set(chars)) > 1), min(map(len, values)))
    return shared if shared >= SHARED_CHARS else 0


def shortened(value: str, shared: int) -> str:
    """A value from a little before where it differs from the others, and not too much of it."""
    if not shared:
        return cut(value, VALUE_CHARS)
    return "…" + cut(value[shared - KEPT_CHARS :], VALUE_CHARS)


def cards(manifest: manifest_pb2.Manifest) -> list[Card]:
    """Every answer, in the order of the manifest."""
    known = marks(manifest.tallies)
    ballots = {(t.tier, b.juror): b for t in manifest.tallies for b in t.ballots}
    parts = {(p.tier, p.name): p for p in manifest.participations if p.name}
    return [
        _card(
            nth,
            answer,
            ballot=ballots.get(_seat(answer)),
            part=parts.get(_seat(answer)),
            known=known,
            manifest=manifest,
        )
        for nth, answer in enumerate(manifest.answers)
    ]


def _seat(answer: types_pb2.Answer) -> tuple[str, str]:
    """Where it was given, as participations and tallies call it, and by whom."""
    return place_of(answer), answer.juror


def place_of(answer: types_pb2.Answer) -> str:
    """Its step, or else its tier: within a step there may be tiers of any name."""
    return answer.step or answer.tier


def _card(
    nth: int,
    answer: types_pb2.Answer,
    *,
    ballot: manifest_pb2.Ballot | None,
    part: manifest_pb2.Participation | None,
    known: Marks,
    manifest: manifest_pb2.Manifest,
) -> Card:
    text = spoken(answer)
    shown = cut(text)
    return Card(
        nth=nth,
        answer=answer,
        text=shown,
        whole=shown == text,
        chars=len(text),
        mark=known.get(ballot.key) if ballot else None,
        reason=ballot.reason if ballot else "",
        part=part,
        given=_seat(answer) == given_seat(manifest),
        place=place_of(answer),
    )


def spoken(answer: types_pb2.Answer) -> str:
    """What a juror said, its tool calls included."""
    calls = [f"{call.name}({call.arguments_json})" for call in answer.tool_calls]
    return "\n".join([*([answer.text] if answer.text else []), *calls])


def silent(manifest: manifest_pb2.Manifest) -> list[Silent]:
    """Jurors who were to answer, and of whom the manifest has none."""
    heard = {_seat(answer) for answer in manifest.answers}
    return [
        Silent(
            part.name,
            part.tier,
            LOOKS.get(part.status, UNKNOWN),
            status(part.status),
            part.reason,
            part.reason_text,
        )
        for part in manifest.participations
        if part.stage == manifest_pb2.STAGE_JURY
        and part.name
        and (part.tier, part.name) not in heard
    ]
