"""Cuts a text into passages: by its headings, then by its paragraphs. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

TARGET_CHARACTERS: Final = 1000
"""A passage ends with the first paragraph that reaches it; a longer paragraph is cut."""
HEADING: Final = re.compile(r"#{1,6}\s+\S")
FENCE: Final = re.compile(r"\s{0,3}(```|~~~)")
BLANK: Final = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage, and where it stands."""

    heading: str
    """Headings it stands under, outermost first; empty without any."""
    text: str


def pieces(text: str, *, target: int = TARGET_CHARACTERS) -> list[Piece]:
    r"""Passages of a Markdown or plain text, in its order; blank ones are left out.

    Examples
    --------
    >>> pieces("# Tea\n\nIs hot.\n\n## Milk\n\nIs cold.")
    [Piece(heading='Tea', text='Is hot.'), Piece(heading='Tea > Milk', text='Is cold.')]
    """
    return [
        Piece(heading, passage)
        for heading, body in _sections(text)
        for passage in _packed(_paragraphs(body, target), target)
    ]


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Bodies with their headings. A `#` inside a code fence is no heading."""
    above: list[tuple[int, str]] = []
    body: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= FENCE.match(line) is not None
        if fenced or not HEADING.match(line):
            body.append(line)
            continue
        yield _path(above), "\n".join(body)
        level = len(line) - len(line.lstrip("#"))
        above = [*(one for one in above if one[0] < level), (level, line.strip("# \t"))]
        body = []
    yield _path(above), "\n".join(body)


def _path(above: list[tuple[int, str]]) -> str:
    return " > ".join(title for _, title in above)


def _paragraphs(body: str, target: int) -> Iterator[str]:
    """Paragraphs, none much longer than a passage: a long one is cut between words."""
    for paragraph in BLANK.split(body):
        rest = paragraph.strip("\n")
        while len(rest) > 2 * target:
            at = max(rest.rfind(" ", target, 2 * target), rest.rfind("\n", target, 2 * target))
            at = at if at > 0 else 2 * target
            yield rest[:at]
            rest = rest[at:].lstrip()
        yield rest


def _packed(paragraphs: Iterator[str], target: int) -> Iterator[str]:
    """Neighbouring paragraphs together, until they reach the target."""
    held: list[str] = []
    for paragraph in paragraphs:
        if not paragraph.strip():
            continue
        held.append(paragraph)
        if sum(map(len, held)) >= target:
            yield "\n\n".join(held)
            held = []
    if held:
        yield "\n\n".join(held)
