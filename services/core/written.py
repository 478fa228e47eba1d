"""Finds the tool calls that a model wrote into its text."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from services.core.extract import Reading, parse_json, pieces
from services.core.literals import Call, calls_in
from services.core.prompts import Tool
from services.core.unreadable import UnreadableError

_TAG: Final = "<tool_call>"
_TAGGED: Final = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_TEMPLATE: Final = re.compile(r"(?:\s*<\|[a-z0-9_]{1,32}\|>)+\s*", re.IGNORECASE)
"""Marks of a chat template that a server left in the text."""
_FENCE: Final = re.compile(r"```[A-Za-z_+-]*\s*")
UNCLOSED: Final = "UNCLOSED"
"""Repair of a list of whole calls that nothing closes."""
ARGUMENT_KEYS: Final = ("arguments", "parameters", "args", "input", "params", "kwargs")
_PREFIXES: Final = ("functions.", "tools.", "default_api.")
"""What some models put before the name of every tool."""

Found = tuple[list[Call], tuple[str, ...]]
"""Calls, and the repairs that reading them took."""


def written_calls(text: str, tools: Sequence[Tool]) -> Found | None:
    """The calls in a text, as they were written; None when it holds none.

    A text that is nothing but calls counts whole. Amid prose all blocks of
    calls to known tools count, one that is repeated once.

    Raises
    ------
    UnreadableError
        If the text begins to call a tool but cannot be read; the reason is
        BROKEN_CALL.
    """
    begun = _TEMPLATE.match(text)
    bare, marks = (text[begun.end() :], ("TEMPLATE_MARK",)) if begun else (text, ())
    found = _tagged(bare, tools) or _whole_or_blocks(bare, tools)
    if found is not None:
        return found[0], (*marks, *found[1])
    if _begins_a_call(bare, tools):
        raise UnreadableError("BROKEN_CALL", "the answer begins to call a tool and breaks off")
    return None


def known(name: str, tools: Sequence[Tool]) -> Tool | None:
    """The tool of that name; `.` and `_` are the same, an exact match comes first."""
    name = name.strip()
    exact = (tool for tool in tools if tool.name == name)
    alike = (tool for tool in tools if _plain(tool.name) == _plain(name))
    return next(exact, None) or next(alike, None) or _without_prefix(name, tools)


def _without_prefix(name: str, tools: Sequence[Tool]) -> Tool | None:
    rest = (name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix))
    return next((known(short, tools) for short in rest), None)


def _plain(name: str) -> str:
    return name.strip().replace("\\_", "_").replace(".", "_")


def _tagged(text: str, tools: Sequence[Tool]) -> Found | None:
    blocks = _TAGGED.findall(text)
    if not blocks:
        return None
    calls, repairs = _read(f"[{','.join(blocks)}]", tools)
    return (calls, ("TAGS", *repairs)) if calls else None


def _whole_or_blocks(text: str, tools: Sequence[Tool]) -> Found | None:
    blocks: dict[str, list[Found]] = {}
    for piece, how in pieces(text):
        calls, repairs = _read(piece, tools)
        if calls is None:
            continue
        if "FENCE" in how and _is_fenced_whole(text):
            return calls, (*how, *repairs)
        if not {"FENCE", "PROSE_AROUND"} & set(how):
            return calls, (*how, *repairs)
        if calls and all(known(call.name, tools) for call in calls):
            blocks.setdefault(how[-1], []).append((calls, (*how, *repairs)))
    return _together(next(iter(blocks.values()))) if blocks else None


def _together(blocks: Sequence[Found]) -> Found:
    different: list[Found] = []
    for calls, repairs in blocks:
        if all(calls != others for others, _ in different):
            different.append((calls, repairs))
    repairs = tuple(dict.fromkeys(name for _, names in different for name in names))
    return [call for calls, _ in different for call in calls], repairs


def _is_fenced_whole(text: str) -> bool:
    bare = text.strip()
    return bare.startswith("```") and bare.endswith("```") and bare.count("```") == 2


def _read(piece: str, tools: Sequence[Tool]) -> tuple[list[Call] | None, tuple[str, ...]]:
    for read in (_as_json, _as_python):
        try:
            calls, repairs = read(piece, tools)
        except UnreadableError:
            continue
        if calls is not None:
            return calls, repairs
    return None, ()


def _as_json(piece: str, tools: Sequence[Tool]) -> tuple[list[Call] | None, tuple[str, ...]]:
    value, repairs = parse_json(piece)
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        value = value["tool_calls"]
    items = value if isinstance(value, list) and not _is_pair(value, tools) else [value]
    said = [item for item in items if not (isinstance(item, str) and not item.strip())]
    read = [_one(item, tools) for item in said]
    found = [one for one in read if one is not None]
    if len(found) < len(said) or (items and not said):
        return None, ()
    more = [how for _, how in found if how] + (["BLANK_ITEM"] if len(said) < len(items) else [])
    return [call for call, _ in found], (*repairs, *dict.fromkeys(more))


def _as_python(piece: str, _: Sequence[Tool]) -> Found:
    text = piece.replace("\\_", "_").strip()
    if text.startswith("[") and text.endswith(")"):
        calls, repairs = calls_in(f"{text}]")
        return calls, ("PYTHON_CALL", UNCLOSED, *repairs)
    calls, repairs = calls_in(text)
    return calls, ("PYTHON_CALL", *repairs)


def _quoted(item: str) -> Call | None:
    """The call in a string."""
    try:
        calls, _ = calls_in(item)
    except UnreadableError:
        return None
    return calls[0] if len(calls) == 1 else None


def _one(item: Any, tools: Sequence[Tool]) -> tuple[Call, str] | None:
    """The call in one item, and the repair that it took, if any."""
    if isinstance(item, str):
        call = _quoted(item)
        return None if call is None else (call, "QUOTED_CALL")
    if isinstance(item, list):
        return (Call(item[0], item[1]), "PAIR") if _is_pair(item, tools) else None
    if not isinstance(item, dict):
        return None
    if isinstance(item.get("function"), dict):
        item = item["function"]
    name = item.get("name")
    return _only(item, tools) if not isinstance(name, str) else _by_name(name, item, tools)


def _by_name(name: str, item: dict[str, Any], tools: Sequence[Tool]) -> tuple[Call, str] | None:
    key = next((key for key in ARGUMENT_KEYS if key in item), None)
    if key is not None:
        return Call(name, item[key]), ""
    tool = known(name, tools)
    if tool is None or "name" in tool.parameters.get("properties", {}):
        return _only(item, tools)
    rest = {key: value for key, value in item.items() if key not in ("name", "type", "id")}
    return Call(name, rest), "FLAT_ARGUMENTS" if rest else ""


def _only(item: dict[str, Any], tools: Sequence[Tool]) -> tuple[Call, str] | None:
    """The call of an object that has the tool's name as its only key."""
    only = next(iter(item), "")
    return (Call(only, item[only]), "") if len(item) == 1 and known(only, tools) else None


def _is_pair(item: Any, tools: Sequence[Tool]) -> bool:
    """Whether a list is a tool's name and its arguments."""
    match item:
        case [str() as name, dict()]:
            return known(name, tools) is not None
        case _:
            return False


def unwrapped(call: Call, tool: Tool) -> Reading:
    """The arguments of a call, taken out of what a model wrapped them in.

    That is an object instead of named arguments, as in `f({"a": 1})`, or a
    level more than the tool has, as in `f(params={"a": 1})`.

    Raises
    ------
    UnreadableError
        If arguments stand there without names (INVALID_ARGUMENTS).
    """
    match call.positional:
        case ():
            return _without_level(call.arguments, tool)
        case (dict() as arguments,) if not call.arguments:
            return arguments, ("POSITIONAL_OBJECT",)
        case _:
            raise UnreadableError("INVALID_ARGUMENTS", f"{tool.name}: arguments without names")


def _without_level(arguments: Any, tool: Tool) -> Reading:
    if not isinstance(arguments, dict) or len(arguments) != 1:
        return arguments, ()
    ((key, inner),) = arguments.items()
    is_level = key in ARGUMENT_KEYS and key not in tool.parameters.get("properties", {})
    return (inner, ("WRAPPED",)) if is_level and isinstance(inner, dict) else (arguments, ())


def _begins_a_call(text: str, tools: Sequence[Tool]) -> bool:
    """Whether a text opens as calls do and names a tool as they do."""
    if _TAG in text:
        return True
    bare = _FENCE.sub("", text, count=1).lstrip() if text.lstrip().startswith("```") else text
    named = "|".join(map(_name_pattern, tools))
    if not named:
        return False
    opening: Callable[[str], Any] = re.compile(rf"\s*(?:[\[{{]|(?:{named})\s*\()").match
    naming: Callable[[str], Any] = re.compile(rf"(?<![\w`])(?:{named})\s*[\"'(,\]]").search
    return opening(bare) is not None and naming(bare) is not None


def _name_pattern(tool: Tool) -> str:
    return r"(?:[._]|\\_)".join(map(re.escape, _words(tool.name)))


def _words(name: str) -> Iterator[str]:
    return iter(re.split(r"[._]", name.strip()))
