"""Whether a synthesis says only what its sources say, as far as that can be checked. Pure.

A number or a quotation that stands in no source is made up, however well it reads. Both are looked
for in the sources that the synthesis names and in the prompt, nowhere else.
"""

# ruff: noqa: RUF001  (quotation marks of several scripts are what this file looks for)

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator_svc.candidates import Candidate
from aggregator_svc.draft import KIND, Draft
from services.core.equality import fold
from services.core.numerals import NUMERAL, plain, values
from services.core.prompts import Prompt, ToolResult
from services.core.refusal import refuses

MAX_NAMED: Final = 5
"""Things that an objection names."""
_LIST_MARK: Final = re.compile(r"^[^\S\n]*\d+[.)]\s", re.MULTILINE)
_QUOTED: Final = re.compile(
    r'"([^"\n]+)"|“([^”“„\n]+)”|„([^“”„\n]+)[“”]|«([^»\n]+)»|「([^」\n]+)」|『([^』\n]+)』'
    r"|‘([^‘’\n]+)’(?!\w)|(?<!\w)'([^'\n]+)'(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a draft is not given."""

    reason: str
    """UPPER_SNAKE, begins with SYNTHESIS_."""
    text: str


def copied(draft: Draft, candidates: Sequence[Candidate]) -> Candidate | None:
    """The candidate that a draft repeats, letter case and space aside."""
    form = fold(draft.text)
    return next((each for each in candidates if fold(each.text) == form), None)


def objection(draft: Draft, candidates: Sequence[Candidate], prompt: Prompt) -> Objection | None:
    """What speaks against a draft; None when nothing does.

    Examples
    --------
    >>> two = [Candidate("It opened in 1901.", (0,)), Candidate("In May.", (1,))]
    >>> objection(Draft("It opened in May 1902.", (0, 1)), two, Prompt(())).text
    'in no source: 1902'
    """
    if not draft.text:
        return Objection(f"{KIND}_BLANK", "the answer is empty")
    if refuses(draft.text):
        return Objection(f"{KIND}_REFUSED", "it declines, which the answers do not")
    known = [candidates[i].text for i in draft.sources] + _told(prompt)
    if numbers := _invented_numbers(draft.text, known):
        return Objection(f"{KIND}_NUMBER_INVENTED", _named(numbers))
    if quotes := _invented_quotes(draft.text, known):
        return Objection(f"{KIND}_QUOTE_INVENTED", _named(quotes))
    return None


def _told(prompt: Prompt) -> list[str]:
    """All that the prompt says, each part by itself."""
    parts = [part for turn in prompt.messages for part in turn.parts]
    results = [part.content for part in parts if isinstance(part, ToolResult)]
    passages = [text for each in prompt.passages for text in (each.id, each.source, each.text)]
    return [*(part for part in parts if isinstance(part, str)), *results, *passages]


def _invented_numbers(text: str, known: Iterable[str]) -> list[str]:
    """Numerals that none of the texts has, however either is read: `1,200` is `1200`."""
    written = {numeral for each in known for numeral in NUMERAL.findall(plain(each))}
    meant = {value for numeral in written for value in values(numeral)}
    claimed = NUMERAL.findall(_LIST_MARK.sub(" ", plain(text)))
    return [n for n in claimed if n not in written and not values(n) & meant]


def _invented_quotes(text: str, known: Iterable[str]) -> list[str]:
    """Quotations that none of the texts has word for word, punctuation and case aside."""
    texts = [_squeezed(each) for each in known]
    quoted = ["".join(groups) for groups in _QUOTED.findall(text)]
    return [quote for quote in quoted if not any(_squeezed(quote) in each for each in texts)]


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _named(found: Sequence[str]) -> str:
    once = list(dict.fromkeys(each[:80] for each in found))
    more = len(once) - MAX_NAMED
    rest = [f"and {more} more"] if more > 0 else []
    return f"in no source: {'; '.join([*once[:MAX_NAMED], *rest])}"
