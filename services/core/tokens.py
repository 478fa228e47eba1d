"""How many tokens a text or a prompt takes, where no tokenizer is asked."""

import json
import math
import re
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


def prompt_tokens(prompt: Prompt) -> int:
    """Estimate the tokens of all that is sent with a prompt, on the high side."""
    turns = sum(_message_tokens(turn) for turn in prompt.messages)
    passages = sum(text_tokens(p.text) + TOKENS_PER_MESSAGE for p in prompt.passages)
    return turns + passages + sum(_tool_tokens(tool) for tool in prompt.tools)


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
    err upwards: a prompt that does not fit costs a failed call, and a call
    whose provider gave no count must not look cheap. O(n).

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
