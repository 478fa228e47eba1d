"""Reads tool calls, given as such or written into the text."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from services.core.equality import canonical, dumped
from services.core.extract import Reading, parse_json, pieces
from services.core.fitting import MAX_DECODINGS, fitted
from services.core.literals import Call, calls_in
from services.core.prompts import Tool, ToolCall
from services.core.schema import violation
from services.core.unreadable import UnreadableError

_TAGGED: Final = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_ARGUMENT_KEYS: Final = ("arguments", "parameters", "args", "input")


def canonical_calls(calls: Sequence[ToolCall], tools: Sequence[Tool]) -> Reading:
    """Tool calls as a multiset in canonical form.

    Raises
    ------
    UnreadableError
        If a tool is unknown (UNKNOWN_TOOL), or its arguments are not what it
        takes (INVALID_ARGUMENTS).
    """
    return _as_multiset(((call.name, call.arguments_json, ()) for call in calls), tools)


def calls_in_text(text: str, tools: Sequence[Tool]) -> Reading | None:
    """Tool calls that a model wrote into its text, canonical; None when it wrote none.

    Known are Python calls, objects with a name and arguments, and
    `<tool_call>` blocks. Amid prose they count only if all their tools exist.

    Raises
    ------
    UnreadableError
        Like `canonical_calls`.
    """
    written = _found(text, tools)
    if written is None:
        return None
    calls, repairs = written
    form, more = _as_multiset(((c.name, c.arguments, c.positional) for c in calls), tools)
    return form, tuple(dict.fromkeys(("CALLS_IN_TEXT", *repairs, *more)))


def calls_as_written(text: str, tools: Sequence[Tool]) -> list[tuple[str, Any]] | None:
    """Names and arguments of calls in a text, read but not changed; None when there are none."""
    written = _found(text, tools)
    return None if written is None else [(call.name, call.arguments) for call in written[0]]


def _found(text: str, tools: Sequence[Tool]) -> tuple[list[Call], tuple[str, ...]] | None:
    for piece, repairs in _call_pieces(text):
        calls, mended = _read(piece, tools)
        if calls is None:
            continue
        amid_prose = bool(repairs) and not _is_fenced_whole(text)
        if not amid_prose or (calls and all(_known(call.name, tools) for call in calls)):
            return calls, (*repairs, *mended)
    return None


def _call_pieces(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    tagged = _TAGGED.findall(text)
    if tagged:
        yield f"[{','.join(tagged)}]", ("TAGS",)
    yield from pieces(text)


def _is_fenced_whole(text: str) -> bool:
    bare = text.strip()
    return bare.startswith("```") and bare.endswith("```") and bare.count("```") == 2


def _read(piece: str, tools: Sequence[Tool]) -> tuple[list[Call] | None, tuple[str, ...]]:
    try:
        value, repairs = parse_json(piece)
        return _from_json(value, tools), repairs
    except UnreadableError:
        pass
    try:
        return calls_in(piece.replace("\\_", "_")), ("PYTHON_CALL",)
    except UnreadableError:
        return None, ()


def _from_json(value: Any, tools: Sequence[Tool]) -> list[Call] | None:
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        value = value["tool_calls"]
    items = value if isinstance(value, list) else [value]
    calls = [_quoted(item) if isinstance(item, str) else _one(item, tools) for item in items]
    found = [call for call in calls if call is not None]
    return found if len(found) == len(items) else None


def _quoted(item: str) -> Call | None:
    """The call in a string, as in `["f(a=1)"]`."""
    try:
        calls = calls_in(item)
    except UnreadableError:
        return None
    return calls[0] if len(calls) == 1 else None


def _one(item: Any, tools: Sequence[Tool]) -> Call | None:
    if not isinstance(item, dict):
        return None
    if isinstance(item.get("function"), dict):
        item = item["function"]
    name = item.get("name")
    key = next((key for key in _ARGUMENT_KEYS if key in item), None)
    if isinstance(name, str) and key is not None:
        return Call(name, item[key])
    if isinstance(name, str) and len(item) == 1 and _known(name, tools):
        return Call(name, {})
    only = next(iter(item), "")
    return Call(only, item[only]) if len(item) == 1 and _known(only, tools) else None


def _as_multiset(
    calls: Iterable[tuple[str, Any, tuple[Any, ...]]], tools: Sequence[Tool]
) -> Reading:
    forms: list[Mapping[str, Any]] = []
    repairs: dict[str, None] = {}
    for name, arguments, positional in calls:
        tool = _known(name, tools)
        if tool is None:
            raise UnreadableError("UNKNOWN_TOOL", f"the answer calls {name!r}, which is no tool")
        if positional:
            raise UnreadableError("INVALID_ARGUMENTS", f"{tool.name}: arguments without names")
        value, mended = _arguments(arguments, tool)
        repairs.update(dict.fromkeys(mended))
        forms.append({"name": tool.name, "arguments": canonical(value, tool.parameters)})
    return {"tool_calls": sorted(forms, key=dumped)}, tuple(repairs)


def _known(name: str, tools: Sequence[Tool]) -> Tool | None:
    """The tool of that name; `.` and `_` are the same, an exact match comes first."""
    name = name.strip()
    exact = (tool for tool in tools if tool.name == name)
    alike = (tool for tool in tools if _plain(tool.name) == _plain(name))
    return next(exact, None) or next(alike, None)


def _plain(name: str) -> str:
    return name.strip().replace("\\_", "_").replace(".", "_")


def _arguments(arguments: Any, tool: Tool) -> Reading:
    try:
        value, repairs = _decoded(arguments)
        mended, more = fitted(value, tool.parameters)
    except UnreadableError as err:
        raise UnreadableError("INVALID_ARGUMENTS", f"{tool.name}: {err}") from err
    if problem := _objection(mended, tool):
        raise UnreadableError("INVALID_ARGUMENTS", f"{tool.name}: {problem}")
    return mended, (*repairs, *more)


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
