"""Which answers a synthesis may be made of, and when there is none to make. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aggregator_svc.case import Case, Decision
from services.core.canonical import DECLINED
from services.core.equality import fold
from services.core.refusal import refuses
from services.core.visible import visible_text

NOT_PROSE: Final = "synthesis_not_prose"
ONE_ANSWER: Final = "synthesis_one_answer"
ONE_CLASS: Final = "synthesis_one_class"
NO_CONSENSUS: Final = "synthesis_no_consensus"
REFUSAL: Final = "synthesis_refusal"
"""In the trail: why nobody is asked for a synthesis."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one juror or several said, word for word."""

    text: str
    answers: tuple[int, ...]
    """Indices of those who said it, never empty."""


def obstacle(case: Case, decision: Decision) -> str:
    """Why there is no synthesis to make of these answers; empty when there is one."""
    votes = [i for i, vote in enumerate(decision.ballots) if vote.key]
    count = decision.count
    if len(votes) < 2 or count is None:
        return ONE_ANSWER
    if case.output_format.kind == "text" and count.leader.key == DECLINED.key:
        return REFUSAL
    if not _is_prose(case, decision, votes):
        return NOT_PROSE
    if len(count.classes) == 1:
        return ONE_CLASS
    if not count.consensus:
        return NO_CONSENSUS
    declines = refuses(visible_text(case.answers[count.leader.representative].text))
    return REFUSAL if declines else ""


def _is_prose(case: Case, decision: Decision, votes: Sequence[int]) -> bool:
    by_meaning = case.output_format.kind == "text" and decision.by_meaning
    return by_meaning and not any(case.answers[i].tool_calls for i in votes)


def candidates(case: Case, decision: Decision, *, question: str) -> tuple[Candidate, ...]:
    """The answers that say something, each text once, those that decline left out.

    In an order that only question and texts decide: neither who said it nor who
    was first has a place of his own.
    """
    said: dict[str, dict[int, str]] = {}
    for i, vote in enumerate(decision.ballots):
        text = visible_text(case.answers[i].text)
        if vote.key and vote.key != DECLINED.key and not refuses(text):
            said.setdefault(fold(text), {})[i] = text
    ordered = sorted(said, key=lambda form: _place(question, form))
    return tuple(Candidate(min(said[form].values()), tuple(said[form])) for form in ordered)


def _place(question: str, form: str) -> str:
    return hashlib.sha256(f"{question}\0{form}".encode(errors="replace")).hexdigest()
