"""What a model is asked: conversation, tools, shape of the answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from services.core.tokens import text_tokens

Role = Literal["system", "user", "assistant", "tool"]

TOKENS_PER_MESSAGE: Final = 4
"""Role markers around a turn."""
TOKENS_PER_IMAGE: Final = 1000
"""Providers charge between 85 and 1,700 for an image; the upper middle is the safe guess."""


@dataclass(frozen=True, slots=True)
class Image:
    url: str = ""
    data: bytes = b""
    media_type: str = ""
    """Of `data`, such as `image/png`."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    arguments_json: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    tool_call_id: str
    content: str
    is_error: bool = False


Part = str | Image | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All text parts, joined by line breaks."""
        return "\n".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """JSON Schema of the arguments object; empty: no arguments."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """The shape an answer must have; it decides how answers are compared."""

    kind: Literal["text", "labels", "json", "number"] = "text"
    labels: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    """JSON Schema for `json`; None: any JSON value."""
    relative_tolerance: float = 1e-6
    """For `number`: equal when they differ by at most this share."""
    may_abstain: bool = False
    """Whether to say that one does not know, or declines, is an answer: a class of its own."""


@dataclass(frozen=True, slots=True)
class Params:
    """How to generate; None takes the model's configured value."""

    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    id: str
    text: str
    source: str = ""


@dataclass(frozen=True)
class Prompt:
    """Without slots, so that what is counted once can be kept."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    output_format: OutputFormat = OutputFormat()
    params: Params = Params()
    passages: tuple[Passage, ...] = ()
    """Grounding: what the answer has to be faithful to."""

    @property
    def question(self) -> str:
        """Text of the last user turn; empty when there is none."""
        turns = (m.text for m in reversed(self.messages) if m.role == "user")
        return next(turns, "")

    @property
    def text(self) -> str:
        """All text of the conversation and of the passages."""
        return "\n".join([*(m.text for m in self.messages), *(p.text for p in self.passages)])

    @cached_property
    def tokens(self) -> int:
        """Estimate of the tokens of all that is sent with it, on the high side; counted once."""
        turns = sum(_message_tokens(turn) for turn in self.messages)
        passages = sum(text_tokens(p.text) + TOKENS_PER_MESSAGE for p in self.passages)
        return turns + passages + sum(_tool_tokens(tool) for tool in self.tools)


def _message_tokens(message: Message) -> int:
    return TOKENS_PER_MESSAGE + sum(_part_tokens(part) for part in message.parts)


def _part_tokens(part: Part) -> int:
    match part:
        case Image():
            return TOKENS_PER_IMAGE
        case ToolCall():
            return text_tokens(part.name) + text_tokens(part.arguments_json)
        case ToolResult():
            return text_tokens(part.content)
        case _:
            return text_tokens(part)


def _tool_tokens(tool: Tool) -> int:
    schema = json.dumps(tool.parameters, ensure_ascii=False)
    return text_tokens(tool.name) + text_tokens(tool.description) + text_tokens(schema)
