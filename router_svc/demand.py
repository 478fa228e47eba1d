"""What a prompt asks of a model: tokens to read and write, images, tools. Pure."""

import json
import math
import re
from dataclasses import dataclass
from typing import Final

from services.core.prompts import Image, Message, Part, Prompt, Tool, ToolCall, ToolResult

IDEOGRAPHS: Final = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
"""Han, kana, Hangul: scripts whose every character is worth a word piece."""

TOKENS_PER_MESSAGE: Final = 4
"""Role markers around a turn."""
TOKENS_PER_IMAGE: Final = 1000
"""Providers charge between 85 and 1,700 for an image; the upper middle is the safe guess."""
OUTPUT_TOKENS: Final = {"labels": 8, "number": 16, "json": 256, "text": 256}
"""Usual length of an answer of each shape, before complexity stretches prose and JSON."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What it takes to answer a prompt."""

    input_tokens: int
    """Estimate, on the high side."""
    output_tokens: int
    """Expected length of the answer."""
    output_limit_tokens: int | None
    """Room that the caller wants kept for the answer; None: the expected length is enough."""
    images: bool
    tools: bool


def demand_of(prompt: Prompt, *, complexity: float) -> Demand:
    """Estimate what answering `prompt` takes. Uncalibrated: no tokenizer is asked."""
    expected = _expected_output_tokens(prompt, complexity)
    limit = prompt.params.max_output_tokens
    return Demand(
        input_tokens=_input_tokens(prompt),
        output_tokens=expected if limit is None else min(expected, limit),
        output_limit_tokens=limit,
        images=any(isinstance(part, Image) for turn in prompt.messages for part in turn.parts),
        tools=bool(prompt.tools),
    )


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text, in any script.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    int
        At least 0; 0 only for the empty text.

    Notes
    -----
    Byte-pair vocabularies hold about 4 ASCII characters a token, 2 of other
    alphabets, and one token or more for an ideograph. The estimate is meant to
    err upwards: a prompt that does not fit costs a failed call. O(n).

    Examples
    --------
    >>> text_tokens("What is the capital of France?")
    8
    >>> text_tokens("法国的首都")
    5
    """
    ascii_chars = len(text.encode("ascii", "ignore"))
    ideographs = sum(1 for _ in IDEOGRAPHS.finditer(text)) if ascii_chars < len(text) else 0
    others = len(text) - ascii_chars - ideographs
    return math.ceil(ascii_chars / 4 + others / 2 + ideographs)


def _input_tokens(prompt: Prompt) -> int:
    turns = sum(_message_tokens(turn) for turn in prompt.messages)
    passages = sum(text_tokens(p.text) + TOKENS_PER_MESSAGE for p in prompt.passages)
    return turns + passages + sum(_tool_tokens(tool) for tool in prompt.tools)


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


def _expected_output_tokens(prompt: Prompt, complexity: float) -> int:
    usual = OUTPUT_TOKENS[prompt.output_format.kind]
    if prompt.output_format.kind in {"labels", "number"}:
        return usual
    return round(usual * (0.5 + 3.0 * complexity))
