"""Finds the parts of a question that can be answered apart, by rules. Pure.

A wrong cut costs more than none: whatever leaves a doubt keeps the question whole. Only English is
read, for in no other language it would be seen that one part speaks of another.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.core.graph import MOST_DEPTH, MOST_STEPS
from services.core.templates import places

MOST_CHARS: Final = 8_000
"""A longer question has more in it than a list of tasks."""
LEAST_WORDS: Final = 3
MOST_ITEM_WORDS: Final = 6
"""Of a thing that the same is asked of; a longer item is a text of its own."""

How = Literal["list", "questions", "each", "in_a_row"]

TASKS: Final = (
    "add answer calculate classify compose compute convert count define derive describe draft"
    " estimate evaluate explain find give identify list name outline paraphrase prove recommend"
    " rewrite simplify solve state suggest summarise summarize tell translate write"
)
TASK: Final = re.compile(rf"(?:please\s+)?(?:{'|'.join(TASKS.split())})\b", re.IGNORECASE)
LEAD: Final = re.compile(
    r"(?:(?:please|can|could|would|you|i|have|need|want|answer|do|solve|complete|help|me|with|to|all"
    r"|of|the|these|this|each|following|below|my|some|two|three|four|five|six|several|few|separate"
    r"|independent|unrelated|different|questions?|tasks?|things?|problems?|exercises?|here|are)\b"
    r"[\s,]*)+[:.?]?",
    re.IGNORECASE,
)
"""A line before a list that says nothing but that tasks follow."""
FOR_EACH: Final = re.compile(
    rf"for\s+each\s+of\s+(?P<things>[^.:;?\n]{{3,400}}?)\s*,\s*(?P<task>{TASK.pattern}[^\n]{{3,400}})",
    re.IGNORECASE,
)
EACH_LEAD: Final = re.compile(
    r"(?P<task>[^\n]{3,300}\b(?:each|every one)\s+of\s+(?:the\s+following|these)\b[^\n:]{0,80}):",
    re.IGNORECASE,
)
RELATED: Final = re.compile(
    r"""\b(?: it | its | itself | they | them | their | theirs | he | him | his | she | her | hers
    | this | that | these | those | there | such | so | above | below | before | after | earlier
    | previous(?:ly)? | prior | preceding | former | latter | following | same | again | also | too
    | another | others? | else | instead | both | either | neither | each | respectively | together
    | combined? | combination | overall | total | altogether | then | next | afterwards | finally
    | first | second | third | last(?:ly)? | compare[ds]? | comparing | comparison | contrast(?:s|ed)?
    | differ(?:s|ence|ences|ent)? | versus | vs | rank(?:ed|ing|s)? | sort(?:ed|s)? | order(?:ed)?
    | best | worst | better | worse | most | least | more | less | which\s+(?:one|of) | between
    | among | relate[ds]? | relation(?:ship)? | based\s+on | use(?:s|d)? | using | given | result[s]?
    | your | answers? | solution | steps?\s+\w | questions?\s+\w | parts?\s+\w | items?\s+\w
    | tasks?\s+\w | choose | pick | select | if | otherwise | only | except | unless )\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words by which one part may speak of another, or of all of them."""
RELATING_TASK: Final = re.compile(
    r"\b(?:compar\w*|contrast\w*|rank\w*|sort\w*|order\w*|differ\w*|best|worst|most|least|which of"
    r"|together|combin\w*|overall|total|sum|choose|pick|select|between|group\w*|then|finally)\b",
    re.IGNORECASE,
)
"""Words by which a task that is asked of each thing is about all of them."""
ENGLISH: Final = re.compile(
    r"\b(?:what|who|whom|whose|when|where|why|how|which|is|are|does|do|did|were|can|could|should"
    r"|would|the|of|please)\b",
    re.IGNORECASE,
)
ELLIPTIC: Final = re.compile(
    r"(?:how|what|why|where|when)\s+(?:might|would|could|should|about|of)\b"
    r"(?:\s+[^\s?]+){0,3}\s*\?",
    re.IGNORECASE,
)
"""So short that what is done must be said by the question before: `How might a behaviorist?`."""
ITEM: Final = re.compile(
    r"^[ ]{0,3}(?:(?P<number>\d{1,2})[.)]|\((?P<bracket>\d{1,2})\)|(?P<letter>[a-z])\)"
    r"|(?P<bullet>[-*•]))[ \t]+(?P<text>\S.*)$"
)
UNSAFE: Final = re.compile(r"```|~~~|^\s*\|.*\||^\s*>|<[a-z/!][^>]*>|https?://", re.MULTILINE)
"""Code, tables, quotations and markup hold lists that ask for nothing."""
SENTENCE: Final = re.compile(r"[^.!?\n]+(?:[.!?]+|$)")
ABBREVIATED: Final = re.compile(
    r"\b(?:e\.g|i\.e|etc|vs|dr|mr|mrs|ms|st|no|approx)\.|\d\.\d", re.IGNORECASE
)
THEN: Final = re.compile(r",?\s+and\s+then\s+|,\s+then\s+|;\s*then\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a question."""

    text: str
    """As it stands in the question."""
    task: str
    """What is asked, for how hard it is."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A question in parts."""

    parts: tuple[Part, ...]
    how: How

    @property
    def in_a_row(self) -> bool:
        """Whether each part needs the one before it."""
        return self.how == "in_a_row"


def cut(question: str) -> Cut | None:
    """The parts of a question; None: it is one, or there is a doubt.

    Examples
    --------
    >>> [part.text for part in cut("What is the capital of Peru? Who wrote Emma?").parts]
    ['What is the capital of Peru?', 'Who wrote Emma?']
    >>> cut("What is the capital of Peru? How many people live there?")
    """
    text = question.strip()
    if not text or len(text) > MOST_CHARS or UNSAFE.search(text) or places(text):
        return None
    found = _list(text) or _each(text) or _questions(text) or _in_a_row(text)
    most = MOST_DEPTH if found and found.in_a_row else MOST_STEPS
    return found if found and 2 <= len(found.parts) <= most and _distinct(found.parts) else None


def _distinct(parts: Sequence[Part]) -> bool:
    return len({part.text.casefold() for part in parts}) == len(parts)


def _list(text: str) -> Cut | None:
    """Tasks or questions one below the other, with nothing after them."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    start = next((nth for nth, line in enumerate(lines) if ITEM.match(line)), len(lines))
    items = [ITEM.match(line) for line in lines[start:]]
    whole = [item for item in items if item]
    if len(whole) < 2 or len(whole) < len(items) or not _counted(whole):
        return None
    lead, texts = lines[:start], [item["text"].strip() for item in whole]
    each = EACH_LEAD.fullmatch(lead[0]) if len(lead) == 1 else None
    if each:
        return _asked_of_each(each["task"], texts)
    if len(lead) > 1 or not all(LEAD.fullmatch(line.strip()) for line in lead):
        return None
    apart = all(_is_task(each) and not RELATED.search(each) for each in texts)
    return Cut(tuple(Part(each, each) for each in texts), "list") if apart else None


def _counted(items: Sequence[re.Match[str]]) -> bool:
    """Whether the items are counted from the first on, or all bulleted alike."""
    kinds = {_kind(item) for item in items}
    if len(kinds) > 1:
        return False
    marks = [
        item["number"] or item["bracket"] or item["letter"] or item["bullet"] for item in items
    ]
    if items[0]["bullet"]:
        return len(set(marks)) == 1
    if items[0]["letter"]:
        return marks == [chr(ord("a") + nth) for nth in range(len(marks))]
    return marks == [str(nth + 1) for nth in range(len(marks))]


def _kind(item: re.Match[str]) -> str:
    return next(name for name in ("number", "bracket", "letter", "bullet") if item[name])


def _is_task(text: str) -> bool:
    """Whether a text is one question or one order, that says all by itself."""
    if len(text.split()) < LEAST_WORDS or len(_sentences(text)) != 1:
        return False
    if text.endswith("?"):
        return bool(ENGLISH.search(text)) and not ELLIPTIC.fullmatch(text)
    return bool(TASK.match(text)) and not text.endswith((":", "…", "..."))


def _sentences(text: str) -> list[str]:
    found = (piece.strip() for piece in SENTENCE.findall(text))
    return [piece for piece in found if piece]


def _questions(text: str) -> Cut | None:
    """Nothing but questions, each of which says all by itself."""
    if ABBREVIATED.search(text) or ("\n" in text.strip() and ITEM.search(text)):
        return None
    found = _sentences(text)
    apart = all(each.endswith("?") and _is_task(each) and _opens(each) for each in found)
    if not apart or any(RELATED.search(each) for each in found):
        return None
    return Cut(tuple(Part(each, each) for each in found), "questions")


def _opens(question: str) -> bool:
    """Whether a question begins as one does, not as the rest of another."""
    return bool(ENGLISH.match(question))


def _each(text: str) -> Cut | None:
    """The same, asked of several things that are named."""
    found = FOR_EACH.fullmatch(text)
    if not found:
        return None
    things = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", found["things"])
    return _asked_of_each(found["task"], things)


def _asked_of_each(task: str, things: Sequence[str]) -> Cut | None:
    short = all(0 < len(thing.split()) <= MOST_ITEM_WORDS for thing in things)
    named = not any(RELATED.search(thing) for thing in things)
    doable = bool(TASK.match(task.strip())) and not RELATING_TASK.search(task)
    if not (short and named and doable and len(_sentences(task)) == 1):
        return None
    return Cut(
        tuple(Part(thing.strip(), f"{task.strip()} {thing.strip()}") for thing in things), "each"
    )


def _in_a_row(text: str) -> Cut | None:
    """Orders in one sentence, each to what the one before gives."""
    if "\n" in text or len(_sentences(text)) != 1:
        return None
    orders = [piece.strip() for piece in THEN.split(text)]
    if len(orders) < 2 or not all(TASK.match(each) for each in orders):
        return None
    return Cut(tuple(Part(each, each) for each in orders), "in_a_row")
