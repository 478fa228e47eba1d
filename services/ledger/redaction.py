"""Blots out of a text what is not to be kept: addresses, numbers and secrets of people. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import re2

from services.ledger.sensitive import BUILT_IN, Kind

NAMES: Final = tuple(kind.name for kind in BUILT_IN)


class Redactor:
    """Blots out kinds of things, one kind after the other."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds = tuple(kinds)

    def redacted(self, text: str) -> str:
        """The text, with each thing's kind in brackets in its place.

        Examples
        --------
        >>> redactor(("email",), {}).redacted("Write to a.b@example.org!")
        'Write to [email]!'
        """
        whole = text.encode()
        for kind in self._kinds if text else ():
            whole = b"".join(_pieces(whole, kind))
        return whole.decode()


def redactor(names: Iterable[str], own: Mapping[str, str]) -> Redactor:
    """For built-in kinds by name, and one's own by name and pattern of RE2, which come first."""
    wanted = frozenset(names)
    built_in = (kind for kind in BUILT_IN if kind.name in wanted)
    own_kinds = (Kind(name, re2.compile(pattern)) for name, pattern in own.items())
    return Redactor([*own_kinds, *built_in])


def _pieces(whole: bytes, kind: Kind) -> Iterator[bytes]:
    """A text in pieces, things of a kind replaced by its name.

    In UTF-8, as RE2 reads it: of a `str` it would make that anew for each search.
    """
    kept, at = 0, 0
    while (found := kind.pattern.search(whole, at)) is not None:
        length = kind.length(found.group())
        if length:
            yield whole[kept : found.start()]
            yield f"[{kind.name}]".encode()
            kept = found.start() + length
        at = max(kept, found.start() + 1)
    yield whole[kept:]
