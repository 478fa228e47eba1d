"""What models give back, and what it cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.core.prompts import Prompt, ToolCall


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a model call, as its provider counts them."""

    input_tokens: int = 0
    """All tokens read, the cached ones included."""
    cached_input_tokens: int = 0
    output_tokens: int = 0
    """All tokens written, the reasoning included."""
    reasoning_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_input_tokens + other.cached_input_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class FinishReason(StrEnum):
    UNKNOWN = "unknown"
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call to one model."""

    prompt: Prompt
    instruction: str = ""
    """System text put before the conversation; no part of a cassette's key."""


@dataclass(frozen=True, slots=True)
class ModelReply:
    """One reply of one model."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = FinishReason.UNKNOWN
    usage: Usage = Usage()
    usage_estimated: bool = False
    """Whether the backend gave no usage and it was estimated from the text."""
    served_model: str = ""
    """Model as the provider says it served; empty when it did not say."""
    mean_logprob: float | None = None
    cost_usd: float | None = None
    """What the provider or cassette says it cost; None: use the price list."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A juror's usable answer."""

    juror: str
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    model: str = ""
    family: str = ""
    finish_reason: FinishReason = FinishReason.UNKNOWN
    mean_logprob: float | None = None

    @property
    def size(self) -> int:
        """Characters of all it says and calls."""
        return size_of(self.text, self.tool_calls)


def size_of(text: str, tool_calls: Iterable[ToolCall]) -> int:
    """Characters of what is said and called."""
    return len(text) + sum(len(call.name) + len(call.arguments_json) for call in tool_calls)


def families(family: str) -> frozenset[str]:
    """What the models were trained as that an answer comes from, without case.

    Several are joined by `+`; a name may hold one, too.

    Examples
    --------
    >>> sorted(families("GPT+command-r"))
    ['command-r', 'gpt', 'gpt+command-r']
    """
    whole = family.strip().casefold()
    return frozenset(part for part in (whole, *map(str.strip, whole.split("+"))) if part)


def is_independent(judge: str, author: str) -> bool:
    """Whether a judge's family wrote no part of an answer; not so when the author's is not known.

    Examples
    --------
    >>> is_independent("claude", "GPT+command-r"), is_independent(" gpt ", "GPT+command-r")
    (True, False)
    >>> is_independent("claude", " ")
    False
    """
    authors = families(author)
    return bool(authors) and judge.strip().casefold() not in authors


class Status(StrEnum):
    """How a participant ended."""

    ANSWERED = "answered"
    UNUSABLE = "unusable"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
