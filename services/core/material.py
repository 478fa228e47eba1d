"""What was asked and answered as text that another model examines, between fences. Pure.

It is evidence, not speech: it stands between marks that its authors cannot have foreseen, and
whoever reads it is told that nothing inside is addressed to it.
"""

import hashlib
from collections.abc import Iterator, Sequence

from services.core.answers import Answer
from services.core.prompts import Image, OutputFormat, Part, Prompt, ToolCall, ToolResult
from services.core.visible import visible_text

Material = list[tuple[str, str]]
"""Titled texts."""


def fenced(material: Material, *, end: str) -> tuple[str, str]:
    """The fence, and the material between it, closed with what is to be said next."""
    fence = fence_of("\n".join(text for _, text in material))
    sections = [f"{fence} {title}\n{text}" for title, text in material]
    return fence, "\n".join([*sections, f"{fence} END\n\n{end}"])


def fence_of(material: str) -> str:
    """A mark that does not occur in the material and that its author cannot have foreseen."""
    digest = hashlib.sha256(material.encode()).hexdigest()
    while digest[:16] in material:
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return f"=== {digest[:16]} ==="


def asked_material(prompt: Prompt, number: Iterator[int]) -> Material:
    """Titled texts of what was asked, the empty ones left out; images take the next numbers."""
    turns = [f"[{turn.role}]\n{_spoken(turn.parts, number)}" for turn in prompt.messages]
    passages = "\n\n".join(f"[{p.id}] {p.source}\n{p.text}" for p in prompt.passages)
    tools = "\n".join(f"{tool.name}: {tool.description}" for tool in prompt.tools)
    sections = {
        "CONVERSATION": "\n\n".join(turns),
        "TOOLS THAT THE AUTHOR COULD CALL": tools,
        "PASSAGES THAT THE ANSWER HAS TO BE FAITHFUL TO": passages,
        "SHAPE THAT WAS ASKED FOR": _asked_shape(prompt.output_format),
    }
    return [(title, text) for title, text in sections.items() if text]


def answer_text(answer: Answer, number: Iterator[int]) -> str:
    """What an answer says and calls; images take the next numbers."""
    return _spoken((visible_text(answer.text), *answer.tool_calls), number)


def images(prompt: Prompt) -> tuple[Image, ...]:
    """The images of a conversation, in their order."""
    parts = (part for turn in prompt.messages for part in turn.parts)
    return tuple(part for part in parts if isinstance(part, Image))


def _spoken(parts: Sequence[Part], number: Iterator[int]) -> str:
    """Parts as text; images by their number among all."""
    return "\n".join(_part(part, number) for part in parts if part != "")


def _part(part: Part, number: Iterator[int]) -> str:
    match part:
        case Image():
            return f"(image {next(number)}, attached)"
        case ToolCall():
            return f"(calls {part.name} with {part.arguments_json})"
        case ToolResult():
            return f"(the tool {'failed' if part.is_error else 'returned'}: {part.content})"
        case _:
            return part


def _asked_shape(output_format: OutputFormat) -> str:
    shape = _shape(output_format)
    if not output_format.may_abstain:
        return shape
    return f"{shape or 'any'}; it may also say that it does not know, or decline"


def _shape(output_format: OutputFormat) -> str:
    match output_format.kind:
        case "labels":
            return f"one of these labels: {', '.join(output_format.labels)}"
        case "number":
            return "a number"
        case "json":
            return "JSON"
        case _:
            return ""
