"""A prompt as providers want it: one system text, then turns whose tool calls have ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

import orjson

from services.core.answers import ModelRequest
from services.core.prompts import Message, OutputFormat, Part, Passage, Prompt, ToolCall, ToolResult

LABEL_FIELD: Final = "label"
"""Providers take only objects as schemas, so a label travels in this field."""

NO_ARGUMENTS: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}
"""Schema of a tool without arguments."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What to send, whatever the provider's protocol."""

    system: str
    """All instructions, empty without any."""
    turns: tuple[Message, ...]
    """Everything else, oldest first; no system turns."""
    tool_names: Mapping[str, str]
    """Name of the tool by id of the call."""


def conversation(request: ModelRequest, *, default_instruction: str = "") -> Conversation:
    """Bring a request into the form that every provider can be sent."""
    prompt = request.prompt
    turns = _with_ids([turn for turn in prompt.messages if turn.role != "system"])
    names = {p.id: p.name for turn in turns for p in turn.parts if isinstance(p, ToolCall)}
    return Conversation(
        system=_system(request, default_instruction),
        turns=tuple(_with_passages(turns, prompt.passages)),
        tool_names=names,
    )


def _system(request: ModelRequest, default_instruction: str) -> str:
    """One text: many chat templates refuse a second system turn."""
    given = [request.instruction, *(t.text for t in request.prompt.messages if t.role == "system")]
    said = [text for text in given if text.strip()] or [default_instruction]
    return "\n\n".join(text for text in [*said, format_hint(request.prompt)] if text)


def format_hint(prompt: Prompt) -> str:
    """Say the shape of the answer in words; empty for prose."""
    wanted = prompt.output_format
    unless = " unless you call a tool" if prompt.tools else ""
    may = "If you do not know, or none is right, answer with null. " * wanted.may_abstain
    match wanted.kind:
        case "labels":
            listed = ", ".join(wanted.labels)
            only = f"Answer with exactly one of these labels and nothing else{unless}: {listed}"
            return f"{may}{only}"
        case "number":
            return f"{may}Answer with a single number and nothing else{unless}."
        case "json" if wanted.schema is not None:
            schema = orjson.dumps(wanted.schema).decode()
            return f"{may}Answer with JSON of this JSON Schema and nothing else{unless}: {schema}"
        case "json":
            return f"{may}Answer with JSON and nothing else{unless}."
        case "text":
            return ""


def answer_schema(prompt: Prompt) -> Mapping[str, Any] | None:
    """JSON Schema that a provider can be asked to enforce; None: words must do.

    With tools in the prompt there is none: servers that constrain the text
    would keep the model from calling a tool.
    """
    wanted = prompt.output_format
    if prompt.tools:
        return None
    if wanted.kind == "labels":
        return {
            "type": "object",
            "properties": {LABEL_FIELD: _label_schema(wanted)},
            "required": [LABEL_FIELD],
            "additionalProperties": False,
        }
    return wanted.schema if wanted.kind == "json" else None


def _label_schema(wanted: OutputFormat) -> Mapping[str, Any]:
    if wanted.may_abstain:
        return {"type": ["string", "null"], "enum": [*wanted.labels, None]}
    return {"type": "string", "enum": list(wanted.labels)}


def answer_text(text: str, wanted: OutputFormat) -> str:
    """The text as the prompt asked for it: a label without its wrapping."""
    if wanted.kind != "labels" or not text.lstrip().startswith("{"):
        return text
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    if value == {LABEL_FIELD: None}:
        return "null"
    label = value.get(LABEL_FIELD)
    return label if isinstance(label, str) else text


def _with_ids(turns: list[Message]) -> list[Message]:
    """Give calls and results without an id one: the nth call belongs to the nth result."""
    calls, results = count(1), count(1)

    def identified(part: Part, role: str) -> Part:
        match part:
            case ToolCall(id=""):
                return replace(part, id=f"call_{next(calls)}")
            case ToolResult(tool_call_id=""):
                return replace(part, tool_call_id=f"call_{next(results)}")
            case str() if role == "tool":
                return ToolResult(f"call_{next(results)}", part)
            case _:
                return part

    return [replace(t, parts=tuple(identified(p, t.role) for p in t.parts)) for t in turns]


def _with_passages(turns: list[Message], passages: tuple[Passage, ...]) -> list[Message]:
    """Put the passages before the last question; they are no instructions."""
    users = [i for i, turn in enumerate(turns) if turn.role == "user"]
    if not passages or not users:
        return turns
    listed = "\n\n".join(f"[{p.id}] {p.source}\n{p.text}" for p in passages)
    intro = "Rely on these passages and cite them by their ids in brackets."
    last = turns[users[-1]]
    grounded = replace(last, parts=(f"{intro}\n\n{listed}", *last.parts))
    return [*turns[: users[-1]], grounded, *turns[users[-1] + 1 :]]
