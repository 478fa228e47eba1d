"""Blots out of a text what is not to be kept: addresses, numbers and secrets of people. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import AnyStr, Final

import re2

from services.ledger.checksums import Span
from services.ledger.folding import NO_DIGITS, folded
from services.ledger.sensitive import BUILT_IN, Kind

NAMES: Final = tuple(dict.fromkeys(kind.name for kind in BUILT_IN))


class Redactor:
    """Blots out kinds of things, one kind after the other."""

    def __init__(self, own: Iterable[Kind] = (), built_in: Iterable[Kind] = ()) -> None:
        """`own` kinds are looked for in what a text says to the letter, the others in what is read."""
        self._own, self._built_in = tuple(own), tuple(built_in)

    def redacted(self, text: str) -> str:
        """The text, with each thing's kind in brackets in its place.

        Examples
        --------
        >>> redactor(("email",), {}).redacted("Write to a.b@example.org!")
        'Write to [email]!'
        """
        shown = text.encode()
        for kind in self._own if text else ():
            shown = _blotted(shown, _spans(shown, kind), kind.mark.encode())
        text = shown.decode()
        n_digits = len(shown.translate(None, NO_DIGITS))
        if (read := folded(text)) != text:
            return self._as_read(text, read)
        for kind in self._built_in:
            if n_digits >= kind.digits and kind.sign in shown:
                shown = _blotted(shown, _spans(shown, kind), kind.mark.encode())
        return shown.decode()

    def _as_read(self, shown: str, read: str) -> str:
        """Of two texts with each character in the same place: what is found in one goes from both."""
        for kind in self._built_in:
            said = read.encode()
            if spans := list(_characters(said, _spans(said, kind))):
                shown = _blotted(shown, spans, kind.mark)
                read = _blotted(read, spans, kind.mark)
        return shown


def redactor(names: Iterable[str], own: Mapping[str, str]) -> Redactor:
    """For built-in kinds by name, and one's own by name and pattern of RE2, which come first."""
    wanted = frozenset(names)
    own_kinds = [Kind(name, re2.compile(pattern)) for name, pattern in own.items()]
    return Redactor(own_kinds, [kind for kind in BUILT_IN if kind.name in wanted])


def _spans(text: bytes, kind: Kind) -> Iterator[Span]:
    """Where things of a kind are, in UTF-8: of a `str` RE2 would make that anew for each search."""
    for stretch in kind.pattern.finditer(text):
        begin, end = stretch.span()
        for start, stop in kind.within(text[begin:end]):
            yield begin + start, begin + stop


def _characters(text: bytes, spans: Iterable[Span]) -> Iterator[Span]:
    """The same places, counted in characters."""
    n_bytes = n_characters = 0
    for start, stop in spans:
        first = n_characters + len(text[n_bytes:start].decode())
        n_bytes, n_characters = stop, first + len(text[start:stop].decode())
        yield first, n_characters


def _blotted(text: AnyStr, spans: Iterable[Span], mark: AnyStr) -> AnyStr:
    """The text with a mark in the place of each span."""
    kept, pieces = 0, [text[:0]]
    for start, stop in spans:
        pieces.extend((text[kept:start], mark))
        kept = stop
    pieces.append(text[kept:])
    return text[:0].join(pieces)
