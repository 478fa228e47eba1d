"""Reads the one JSON object that a model was asked for. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.core.extract import Reading, parse_json, pieces
from services.core.unreadable import UnreadableError


@dataclass(frozen=True, slots=True)
class Told:
    """The one object of a reply, and how it was told."""

    value: dict[str, Any]
    repairs: tuple[str, ...]
    """Names of what it took to read it."""
    beside: str
    """What the reply says besides."""


def the_object(reply: str, quoted: Sequence[str], *, kind: str, author: str) -> dict[str, Any]:
    """The value of `told_object`.

    Raises
    ------
    UnreadableError
        As that does.
    """
    return told_object(reply, quoted, kind=kind, author=author).value


def told_object(reply: str, quoted: Sequence[str], *, kind: str, author: str) -> Told:
    """The one JSON object of a reply: all of it, or the only one amid prose.

    Raises
    ------
    UnreadableError
        If there is none or more than one, or if it stands in one of the
        `quoted` texts that its `author` was shown. The reason begins with `kind`.
    """
    if not reply:
        raise UnreadableError(f"{kind}_EMPTY", f"{author} said nothing")
    objects = list(_objects(reply, kind))
    if not objects:
        raise UnreadableError(f"{kind}_NOT_JSON", f"{author} wrote no JSON object")
    piece, (value, repairs) = objects[0]
    if piece != reply and any(other != value for _, (other, _) in objects):
        raise UnreadableError(f"{kind}_AMBIGUOUS", f"{author} wrote several JSON objects")
    if any(_squeezed(piece) in _squeezed(text) for text in quoted):
        raise UnreadableError(f"{kind}_ECHOED", f"{author} repeated JSON that it was shown")
    beside = reply
    for each, _ in objects:
        beside = beside.replace(each, " ")
    return Told(value, repairs, beside.strip())


def check_keys(
    value: Any, expected: Sequence[str], what: str, *, kind: str, optional: Sequence[str] = ()
) -> None:
    """Refuse what is no object of exactly these keys, the `optional` ones left out or not.

    Raises
    ------
    UnreadableError
        With a reason that begins with `kind`.
    """
    if not isinstance(value, dict):
        raise UnreadableError(f"{kind}_WRONG_TYPE", f"{what} is no object")
    if missing := [key for key in expected if key not in value]:
        raise UnreadableError(f"{kind}_INCOMPLETE", f"{what} lacks {', '.join(missing)}")
    if unknown := [key for key in value if key not in (*expected, *optional)]:
        named = ", ".join(key[:64] for key in unknown[:5])
        raise UnreadableError(f"{kind}_UNKNOWN_FIELD", f"{what} has unknown fields: {named}")


def _objects(reply: str, kind: str) -> Iterator[tuple[str, Reading]]:
    """Pieces of a reply that are JSON objects, the whole reply first."""
    try:
        for piece, cut in pieces(reply):
            read = _parsed(piece)
            if read is not None and isinstance(read[0], dict):
                yield piece, (read[0], (*cut, *read[1]))
    except UnreadableError as err:
        raise UnreadableError(f"{kind}_{err.reason}", f"the reply is unreadable: {err}") from err


def _parsed(piece: str) -> Reading | None:
    try:
        return parse_json(piece)
    except UnreadableError as err:
        if err.reason != "NOT_JSON":
            raise
        return None


def _squeezed(text: str) -> str:
    return "".join(text.split())
