"""Puts an answer together from the fields of several, and reads it back as any other."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aggregator_svc.case import Case, Source, Spliced
from aggregator_svc.counting import ballot_weights
from aggregator_svc.fieldwise import calls_of, field_vote
from aggregator_svc.splicing import Splice, assembled, pointers, splice, written
from aggregator_svc.voting import Class, Count, margin
from services.core.canonical import Ballot, ballot, said
from services.core.deadline import Deadline
from services.core.equality import canonical_key, dumped
from services.core.prompts import ToolCall
from services.runtime.aside import aside

REFUSED = "splice_refused"
"""In the trail: what was put together is not what the format or the tools ask for."""


async def put_together(
    case: Case,
    votes: Sequence[Ballot],
    members: Sequence[int],
    count: Count,
    *,
    deadline: Deadline,
) -> tuple[Count, Spliced | None]:
    """The count, led by an answer put together from several where that has what it takes.

    Indices are those of the votes; sources are indices of answers. Others have
    their turn between two answers that are read.

    Raises
    ------
    DeadlineSpentError
        If the time is over before all are read.
    """
    forms = [await aside(case.size, json.loads, vote.value) for vote in votes]
    weights, priors = ballot_weights(case, votes, members), case.priors[members]
    vote = await aside(case.size, field_vote, forms, weights, priors)
    found = await aside(case.size, splice, vote, forms, weights, priors, min_share=case.min_share)
    if found is None:
        return count, None
    values: dict[int, Any] = {}
    for voter in sorted({found.base, *found.givers.values()}):
        deadline.remaining()
        values[voter] = await aside(case.size, _said, case, members[voter])
        await asyncio.sleep(0)
    form = await aside(case.size, lambda: dumped(assembled(found, dict(enumerate(forms)))))
    made = await aside(case.size, _spliced, case, found, values, form, members)
    if not await aside(len(form), _is_asked_for, case, made):
        return replace(count, fallbacks=(*count.fallbacks, REFUSED)), None
    return _led(count, found, form, float(weights.sum())), made


def _said(case: Case, answer: int) -> Any:
    given = case.answers[answer]
    return said(given.text, given.tool_calls, output_format=case.output_format, tools=case.tools)


def _spliced(
    case: Case, found: Splice, values: dict[int, Any], form: str, members: Sequence[int]
) -> Spliced:
    whole = assembled(found, values)
    base = case.answers[members[found.base]]
    calls = calls_of(whole)
    foreign = found.foreign
    named = pointers(foreign, calls)
    if case.output_format.kind == "json" and not base.tool_calls and calls is not None:
        named, calls = {path: f"/tool_calls{place}" for path, place in named.items()}, None
    return Spliced(
        form=form,
        text=written(whole) if calls is None else "",
        tool_calls=tuple(
            ToolCall(id="", name=call["name"], arguments_json=written(call["arguments"]))
            for call in calls or ()
        ),
        sources=tuple(
            Source(
                pointer=named[path],
                answer=None if giver is None else members[giver],
                share=found.shares[path],
            )
            for path, giver in foreign.items()
        ),
    )


def _is_asked_for(case: Case, made: Spliced) -> bool:
    """Whether it reads as what was put together, by the same rules as every answer."""
    read = ballot(made.text, made.tool_calls, output_format=case.output_format, tools=case.tools)
    return read.value == made.form


def _led(count: Count, found: Splice, form: str, total: float) -> Count:
    """The count with a class that nobody voted for in the lead."""
    leader = Class(canonical_key(form), (), found.support * total, found.support, found.base)
    classes = sorted((leader, *count.classes), key=lambda c: (-c.weight, c is not leader, c.key))
    return replace(
        count,
        classes=tuple(classes),
        leader=leader,
        margin=margin([leader.share, *(c.share for c in count.classes)]),
        tie=False,
        tie_rule="",
        consensus=True,
        reason_text="",
    )
