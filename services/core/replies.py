"""Reads the one JSON object that a model was asked for. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.core.extract import parse_json, pieces
from services.core.unreadable import UnreadableError


def the_object(reply: str, quoted: Sequence[str], *, kind: str, author: str) -> dict[str, Any]:
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
    piece, value = objects[0]
    if piece != reply and any(other != value for _, other in objects):
        raise UnreadableError(f"{kind}_AMBIGUOUS", f"{author} wrote several JSON objects")
    if any(_squeezed(piece) in _squeezed(text) for text in quoted):
        raise UnreadableError(f"{kind}_ECHOED", f"{author} repeated JSON that it was shown")
    return value


def check_keys(value: Any, expected: Sequence[str], what: str, *, kind: str) -> None:
    """Refuse what is no object of exactly these keys.

    Raises
    ------
    UnreadableError
        With a reason that begins with `kind`.
    """
    if not isinstance(value, dict):
        raise UnreadableError(f"{kind}_WRONG_TYPE", f"{what} is no object")
    if missing := [key for key in expected if key not in value]:
        raise UnreadableError(f"{kind}_INCOMPLETE", f"{what} lacks {', '.join(missing)}")
    if unknown := [key for key in value if key not in expected]:
        named = ", ".join(key[:64] for key in unknown[:5])
        raise UnreadableError(f"{kind}_UNKNOWN_FIELD", f"{what} has unknown fields: {named}")


def _objects(reply: str, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Pieces of a reply that are JSON objects, the whole reply first."""
    try:
        for piece, _ in pieces(reply):
            value = _parsed(piece)
            if isinstance(value, dict):
                yield piece, value
    except UnreadableError as err:
        raise UnreadableError(f"{kind}_{err.reason}", f"the reply is unreadable: {err}") from err


def _parsed(piece: str) -> Any:
    try:
        return parse_json(piece)[0]
    except UnreadableError as err:
        if err.reason != "NOT_JSON":
            raise
        return None


def _squeezed(text: str) -> str:
    return "".join(text.split())
