"""What can be told of an answer without asking a model. Pure, deterministic, narrow.

| check      | fails when                                                    | veto |
|------------|---------------------------------------------------------------|------|
| finish     | the provider withheld the answer; the token limit cut it off  | only withheld |
| emptiness  | it says nothing, or only reasons                              | yes  |
| refusal    | it opens by declining, where it may not; its shape is then not checked | yes |
| schema, label, number | it has not the shape that was asked for            | yes  |
| tools      | it calls a tool that is not offered, or with wrong arguments  | yes  |
| arithmetic | it states a sum that is wrong                                 | yes  |
| citations  | it cites a passage that does not exist                        | yes  |
| numbers    | it claims numbers that stand in no passage                    | no   |
| secrets, pii, incitement | see `exposure`                                  | yes, and unsafe |

A veto fails the verdict whatever a judge model would say. The others are evidence for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from judge_svc.arithmetic import wrong_statements
from judge_svc.exposure import exposures
from judge_svc.faithfulness import unknown_citations, unsupported_numbers
from services.core.answers import Answer, FinishReason
from services.core.canonical import PROSE, read
from services.core.prompts import OutputFormat, Prompt, Tool, ToolCall, ToolResult
from services.core.refusal import refuses
from services.core.unreadable import UnreadableError
from services.core.visible import is_cut_in_reasoning, visible_text

SHAPES: Final = {"json": "schema", "labels": "label", "number": "number"}
EXPOSURES: Final = {"secret": "secrets", "pii": "pii", "safety": "incitement"}
UNSAFE: Final = frozenset({"secrets", "pii", "incitement", "safety"})
"""Checks whose failure means that the text must never be delivered."""
MAX_NAMED: Final = 5
"""Things that an evidence names."""


Span = tuple[int, int]
"""Where a part of an answer's text begins and ends, in characters."""


class Outcome(StrEnum):
    """What a check found."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Check:
    """What one check of an answer found."""

    name: str
    outcome: Outcome
    evidence: str = ""
    veto: bool = False
    """Whether a failure fails the verdict whatever else says."""
    score: float | None = None
    """In [0, 1], 1 is best."""
    span: Span | None = None
    """The words of the answer that it goes by."""

    @property
    def failed(self) -> bool:
        return self.outcome is Outcome.FAIL

    @property
    def vetoes(self) -> bool:
        return self.failed and self.veto


def checked(prompt: Prompt, answer: Answer) -> tuple[Check, ...]:
    """Check an answer against everything that needs no model.

    Raises
    ------
    InvalidRequestError
        If a schema of the prompt is none.
    """
    text = visible_text(answer.text)
    says_nothing = not text and not answer.tool_calls
    may = prompt.output_format.may_abstain
    declines = _declines(prompt, answer, text) and not may
    refusal = ["it declines to answer"] if declines else []
    return (
        _finish(answer),
        _emptiness(answer, says_nothing=says_nothing),
        _found("refusal", refusal, applies=bool(text) and not may),
        _shape(prompt.output_format, answer, applies=not (says_nothing or declines)),
        _tools(prompt, answer, applies=not (says_nothing or declines)),
        _arithmetic(prompt, text),
        _citations(prompt, text),
        _numbers(prompt, text),
        *_exposures(prompt, answer),
    )


def _declines(prompt: Prompt, answer: Answer, text: str) -> bool:
    return not answer.tool_calls and refuses(text) and not refuses(prompt.question)


def _found(name: str, problems: Sequence[str], *, applies: bool = True, veto: bool = True) -> Check:
    if not applies:
        return Check(name, Outcome.NOT_APPLICABLE, veto=veto)
    more = len(problems) - MAX_NAMED
    named = [*problems[:MAX_NAMED], f"and {more} more"] if more > 0 else problems
    return Check(name, Outcome.FAIL if problems else Outcome.PASS, "; ".join(named), veto)


def _finish(answer: Answer) -> Check:
    match answer.finish_reason:
        case FinishReason.CONTENT_FILTER:
            return _found("finish", ["the provider withheld the answer"])
        case FinishReason.LENGTH:
            return _found("finish", ["the token limit cut the answer off"], veto=False)
        case FinishReason.UNKNOWN:
            return _found("finish", [], applies=False)
        case _:
            return _found("finish", [])


def _emptiness(answer: Answer, *, says_nothing: bool) -> Check:
    if not says_nothing:
        return _found("emptiness", [])
    reasons = is_cut_in_reasoning(answer.text)
    return _found("emptiness", ["it only reasons" if reasons else "it says nothing"])


def _shape(output_format: OutputFormat, answer: Answer, *, applies: bool) -> Check:
    name = SHAPES.get(output_format.kind, "schema")
    if not applies or output_format.kind == "text" or answer.tool_calls:
        return _found(name, [], applies=False)
    return _found(name, _unread(answer.text, (), output_format, ()))


def _tools(prompt: Prompt, answer: Answer, *, applies: bool) -> Check:
    written = bool(prompt.tools) and prompt.output_format.kind == "text"
    if not applies or not (answer.tool_calls or written):
        return _found("tools", [], applies=False)
    problems = _unread(answer.text, answer.tool_calls, prompt.output_format, prompt.tools)
    return _found("tools", problems)


def _unread(
    text: str, calls: Sequence[ToolCall], output_format: OutputFormat, tools: Sequence[Tool]
) -> list[str]:
    try:
        read(text, calls, output_format=output_format, tools=tools)
    except UnreadableError as err:
        return [] if err.reason == PROSE else [f"{err.reason}: {err}"]
    return []


def _arithmetic(prompt: Prompt, text: str) -> Check:
    n_checked, wrong = wrong_statements(text, quoted_from=prompt.text)
    problems = [f"{statement} is wrong" for statement in wrong]
    return _found("arithmetic", problems, applies=n_checked > 0)


def _citations(prompt: Prompt, text: str) -> Check:
    unknown = unknown_citations(text, prompt.passages)
    problems = [f"no passage is called {name}" for name in unknown]
    return _found("citations", problems, applies=bool(prompt.passages and text))


def _numbers(prompt: Prompt, text: str) -> Check:
    if not prompt.passages:
        return _found("numbers", [], applies=False, veto=False)
    n_claimed, unsupported = unsupported_numbers(text, _known(prompt))
    found = _found(
        "numbers",
        [f"{numeral} stands in no passage" for numeral in unsupported],
        applies=n_claimed > 0,
        veto=False,
    )
    score = max(0.0, 1.0 - len(unsupported) / n_claimed) if n_claimed else None
    return Check(found.name, found.outcome, found.evidence, found.veto, score)


def _exposures(prompt: Prompt, answer: Answer) -> list[Check]:
    arguments = [call.arguments_json for call in answer.tool_calls]
    found = exposures("\n".join([answer.text, *arguments]), known="\n".join(_known(prompt)))
    return [
        _found(name, [f"it holds {e.what}" for e in found if e.kind == kind])
        for kind, name in EXPOSURES.items()
    ]


def _known(prompt: Prompt) -> list[str]:
    """Everything that the author was told."""
    parts = (part for turn in prompt.messages for part in turn.parts)
    results = [part.content for part in parts if isinstance(part, ToolResult)]
    return [prompt.text, *results]
