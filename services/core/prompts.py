"""What a model is asked: conversation, tools, shape of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


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


@dataclass(frozen=True, slots=True)
class Prompt:
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
