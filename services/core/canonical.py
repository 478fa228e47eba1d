"""The canonical vote of an answer: answers that mean the same give the same ballot."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.core.abstention import ABSTAINED, REFUSED, TOLD, declined
from services.core.calls import calls_in_text, canonical_calls, said_calls
from services.core.dialect import bounded_work
from services.core.equality import canonical, canonical_key, dumped, fold
from services.core.errors import InvalidRequestError
from services.core.extract import Reading, readings
from services.core.fitting import fitted
from services.core.label import abstaining_label, label_in, labels_problem
from services.core.number import number_in
from services.core.prompts import OutputFormat, Tool, ToolCall
from services.core.schema import Schema, schema_problem, schemas_problem, shape, types, violation
from services.core.unreadable import UnreadableError
from services.core.visible import visible_text

PROSE: Final = "PROSE"
"""Reason of an answer that is free text: it has no ballot and is no fault."""


USUAL_FORMS: Final = frozenset(
    {"CALLS_IN_TEXT", "PYTHON_CALL", "LABEL_IN_TEXT", "NUMBER_IN_TEXT", ABSTAINED, REFUSED}
)
"""Repairs of answers that are written as models are asked to write them."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """The vote of one answer."""

    key: str
    """Name of its class, 16 hex digits; empty when it is no vote."""
    value: str = ""
    """The canonical answer, JSON text that `key` is the digest of."""
    repairs: tuple[str, ...] = ()
    """What had to be mended before it could be read, UPPER_SNAKE."""
    reason: str = ""
    """Why it is no vote, UPPER_SNAKE; empty when it is one."""

    @property
    def mended(self) -> int:
        """How many repairs it took, those that only name a usual form aside."""
        return len(set(self.repairs) - USUAL_FORMS)


def ballot(
    text: str, tool_calls: Sequence[ToolCall], *, output_format: OutputFormat, tools: Sequence[Tool]
) -> Ballot:
    """The vote of an answer, or why it is none.

    Free text has no ballot (reason PROSE), unless tools are offered: then not
    to call any is a class of its own. So is to decline, where the format lets
    an answer abstain.

    Raises
    ------
    InvalidRequestError
        If a schema of the request is none.
    """
    try:
        return cast(text, tool_calls, output_format=output_format, tools=tools)
    except UnreadableError as err:
        return Ballot("", reason=err.reason)


def cast(
    text: str, tool_calls: Sequence[ToolCall], *, output_format: OutputFormat, tools: Sequence[Tool]
) -> Ballot:
    """The vote of an answer that is one.

    Raises
    ------
    UnreadableError, InvalidRequestError
        Like `read`.
    """
    value, repairs = read(text, tool_calls, output_format=output_format, tools=tools)
    return _of(value, repairs)


def prose_ballot(text: str) -> Ballot:
    """The vote of free text that is to be compared by its letters."""
    return _of(fold(visible_text(text)), ())


def number_of(vote: Ballot) -> int | float | None:
    """The number that a ballot holds; None when it holds none."""
    value = json.loads(vote.value) if vote.key else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _of(value: Any, repairs: tuple[str, ...]) -> Ballot:
    form = dumped(value)
    return Ballot(canonical_key(form), form, repairs)


NO_CALL: Final = _of({"tool_calls": []}, ())
"""The ballot of an answer that calls no tool though it might have."""
DECLINED: Final = _of(None, ())
"""The ballot of an answer that gives none: null, a refusal, or that it does not know."""


def abstain_key(output_format: OutputFormat, tools: Sequence[Tool]) -> str:
    """Key of the class that abstains, of answers to one prompt; empty where none can.

    It calls no tool, has the first label that says so, or is null.
    """
    if output_format.kind == "text" and tools:
        return NO_CALL.key
    if label := abstaining_label(output_format.labels):
        return _of(label, ()).key
    is_null = output_format.kind == "json" and _takes_null(output_format.schema)
    return DECLINED.key if output_format.may_abstain or is_null else ""


def _takes_null(schema: Schema | None) -> bool:
    try:
        return not schema or not violation(None, schema)
    except UnreadableError:
        return False


def read(
    text: str, tool_calls: Sequence[ToolCall], *, output_format: OutputFormat, tools: Sequence[Tool]
) -> Reading:
    """The canonical value of an answer, and the repairs that it took.

    Raises
    ------
    UnreadableError
        If it is no vote. The reason is PROSE, EMPTY, UNKNOWN_TOOL,
        INVALID_ARGUMENTS, UNKNOWN_LABEL, NOT_A_NUMBER, SCHEMA_INVALID,
        SEVERAL_VALUES, TOO_COSTLY, or one of `readings`; of what declines to
        answer where it may not, REFUSED or ABSTAINED.
    InvalidRequestError
        If the format or a tool is not taken.
    """
    check_format(output_format, tools)
    with bounded_work():
        if tool_calls:
            return canonical_calls(tool_calls, tools)
        shown = visible_text(text)
        if not shown:
            raise UnreadableError("EMPTY", "the answer is empty")
        return _read(shown, output_format, tools)


def _read(shown: str, output_format: OutputFormat, tools: Sequence[Tool]) -> Reading:
    """A text as an answer; where it may, as one that declines."""
    is_free = output_format.kind == "text" and (bool(tools) or not output_format.may_abstain)
    why = "" if is_free else declined(shown)
    if why and output_format.may_abstain and not _is_written(shown, output_format):
        return _abstention(output_format, why)
    try:
        return _answer(shown, output_format, tools)
    except UnreadableError as err:
        if not why or err.reason == PROSE:
            raise
        if output_format.may_abstain:
            return _abstention(output_format, why)
        raise UnreadableError(why, TOLD[why]) from err


def _is_written(shown: str, output_format: OutputFormat) -> bool:
    """Whether a text may be an answer though it reads like none: JSON, or a label as it stands."""
    labels = map(fold, output_format.labels)
    return output_format.kind == "json" or fold(shown) in labels


def _abstention(output_format: OutputFormat, why: str) -> Reading:
    return abstaining_label(output_format.labels) or None, (why,)


def _answer(shown: str, output_format: OutputFormat, tools: Sequence[Tool]) -> Reading:
    match output_format.kind:
        case "labels":
            return label_in(shown, output_format.labels)
        case "number":
            return number_in(shown)
        case "json":
            return _json_in(shown, output_format.schema)
        case _:
            return _calls_or_prose(shown, tools)


def said(
    text: str, tool_calls: Sequence[ToolCall], *, output_format: OutputFormat, tools: Sequence[Tool]
) -> Any:
    """What `read` finds in JSON or in tool calls, its words as they were written.

    Raises
    ------
    UnreadableError
        Like `read`.
    """
    with bounded_work():
        shown = visible_text(text)
        if output_format.kind == "json" and not tool_calls:
            return _json_said(shown, output_format.schema)[0]
        return {"tool_calls": said_calls(shown, tool_calls, tools)}


def check_format(output_format: OutputFormat, tools: Sequence[Tool], *, within: str = "") -> None:
    """Refuse a format or tools that no answer can be read by; `within` is their message's path.

    Raises
    ------
    InvalidRequestError
        If labels are blank or mean the same, a schema is not taken, or a
        tool's arguments are no object.
    """
    for name, problem in _format_problems(output_format, tools):
        if problem:
            field = f"{within}{name}"
            raise InvalidRequestError(f"{field}: {problem}", violations=((field, problem),))


def _format_problems(
    output_format: OutputFormat, tools: Sequence[Tool]
) -> Iterator[tuple[str, str]]:
    """Fields and what is wrong with them; empty where nothing is. Cheap ones come first."""
    if output_format.labels:
        yield "output_format.labels.labels", labels_problem(output_format.labels)
    schema = output_format.schema or {}
    if not schema and not tools:
        return
    yield "tools", schemas_problem([schema, *(tool.parameters for tool in tools)])
    yield "output_format.json.schema_json", schema_problem(schema)
    for i, tool in enumerate(tools):
        yield f"tools[{i}].parameters_schema_json", _tool_problem(tool)


def _tool_problem(tool: Tool) -> str:
    if problem := schema_problem(tool.parameters):
        return problem
    named = types(shape(tool.parameters, tool.parameters, {}))
    return "" if "object" in named or not named else f"must describe an object, not {sorted(named)}"


def _json_in(text: str, schema: Schema | None) -> Reading:
    """The JSON in a text that the schema accepts, canonical."""
    said, repairs = _json_said(text, schema)
    return canonical(said, schema), repairs


def _json_said(text: str, schema: Schema | None) -> Reading:
    """All of a text, else what it fences, else what stands amid its prose, if that is one value."""
    taken: list[Reading] = []
    problem = UnreadableError("NOT_JSON", "the answer holds no JSON")
    for value, repairs in readings(text):
        if taken and _cut_from(repairs) != _cut_from(taken[0][1]):
            break
        mended, more = fitted(value, schema or {})
        objection = violation(mended, schema) if schema else ""
        if not objection:
            taken.append((mended, (*repairs, *more)))
        elif problem.reason == "NOT_JSON":
            problem = UnreadableError("SCHEMA_INVALID", objection)
    if not taken:
        raise problem
    if len(taken) > 1 and len({dumped(canonical(value, schema)) for value, _ in taken}) > 1:
        raise UnreadableError("SEVERAL_VALUES", f"the answer holds {len(taken)} values at once")
    return taken[0]


def _cut_from(repairs: Sequence[str]) -> str:
    """What a reading was cut from; all of a text is cut from nothing."""
    return next((name for name in repairs if name in ("FENCE", "PROSE_AROUND")), "")


def _calls_or_prose(text: str, tools: Sequence[Tool]) -> Reading:
    if not tools:
        raise UnreadableError(PROSE, "free text has no ballot")
    written = calls_in_text(text, tools)
    return written if written is not None else ({"tool_calls": []}, ())
