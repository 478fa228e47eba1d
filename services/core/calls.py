"""Reads tool calls, given as such or written into the text."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.core.equality import canonical, dumped
from services.core.extract import Reading, parse_json
from services.core.fitting import MAX_DECODINGS, fitted
from services.core.literals import Call
from services.core.prompts import Tool, ToolCall
from services.core.schema import violation
from services.core.unreadable import UnreadableError
from services.core.written import known, unwrapped, written_calls

Forms = tuple[dict[str, Any], dict[str, Any]]
"""A call in canonical form, and with its arguments as they were written."""


def canonical_calls(calls: Sequence[ToolCall], tools: Sequence[Tool]) -> Reading:
    """Tool calls as a multiset in canonical form.

    Raises
    ------
    UnreadableError
        If a tool is unknown (UNKNOWN_TOOL), or its arguments are not what it
        takes (INVALID_ARGUMENTS).
    """
    return _as_multiset(_given(calls), tools)


def said_calls(text: str, calls: Sequence[ToolCall], tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """Tool calls in the order of their canonical forms, arguments as they were written.

    Raises
    ------
    UnreadableError
        Like `canonical_calls` and `calls_in_text`.
    """
    found = _given(calls) if calls else (written_calls(text, tools) or ([], ()))[0]
    return [said for _, said in sorted(_read(found, tools)[0], key=lambda read: dumped(read[0]))]


def _given(calls: Sequence[ToolCall]) -> list[Call]:
    return [Call(call.name, call.arguments_json) for call in calls]


def calls_in_text(text: str, tools: Sequence[Tool]) -> Reading | None:
    """Tool calls that a model wrote into its text, canonical; None when it wrote none.

    Known are Python calls, objects with a name and arguments, and
    `<tool_call>` blocks. Amid prose they count only if their tools exist.

    Raises
    ------
    UnreadableError
        Like `canonical_calls`, and if the text begins a call that cannot be
        read (BROKEN_CALL).
    """
    written = written_calls(text, tools)
    if written is None:
        return None
    calls, repairs = written
    form, more = _as_multiset(calls, tools)
    return form, tuple(dict.fromkeys(("CALLS_IN_TEXT", *repairs, *more)))


def _as_multiset(calls: Iterable[Call], tools: Sequence[Tool]) -> Reading:
    read, repairs = _read(calls, tools)
    return {"tool_calls": sorted((form for form, _ in read), key=dumped)}, repairs


def _read(calls: Iterable[Call], tools: Sequence[Tool]) -> tuple[list[Forms], tuple[str, ...]]:
    forms: list[Forms] = []
    repairs: dict[str, None] = {}
    for call in calls:
        tool = known(call.name, tools)
        if tool is None:
            text = f"the answer calls {call.name!r}, which is no tool"
            raise UnreadableError("UNKNOWN_TOOL", text)
        value, mended = _arguments(call, tool)
        repairs.update(dict.fromkeys(mended))
        form = {"name": tool.name, "arguments": canonical(value, tool.parameters)}
        forms.append((form, {"name": tool.name, "arguments": value}))
    return forms, tuple(repairs)


def _arguments(call: Call, tool: Tool) -> Reading:
    arguments, freed = unwrapped(call, tool)
    try:
        value, repairs = _decoded(arguments)
        mended, more = fitted(value, tool.parameters)
    except UnreadableError as err:
        raise UnreadableError("INVALID_ARGUMENTS", f"{tool.name}: {err}") from err
    if problem := _objection(mended, tool):
        raise UnreadableError("INVALID_ARGUMENTS", f"{tool.name}: {problem}")
    return mended, (*freed, *repairs, *more)


def _decoded(arguments: Any) -> Reading:
    value: Any = arguments
    repairs: tuple[str, ...] = ()
    for _ in range(MAX_DECODINGS):
        if not isinstance(value, str):
            break
        text = value.strip()
        repairs += ("DOUBLE_ENCODED",) if value is not arguments else ()
        value, mended = parse_json(text) if text else ({}, ())
        repairs += mended
    return value, repairs


def _objection(value: Any, tool: Tool) -> str:
    if not isinstance(value, dict):
        return "the arguments are no object"
    if not tool.parameters:
        return "it takes no arguments" if value else ""
    return violation(value, tool.parameters)
