"""What a model call costs: tokens and prices in, US dollars out."""

from typing import Final

from services.config.tree import Price
from services.core.answers import ModelRequest, Usage
from services.core.prompts import Image, Part, ToolCall, ToolResult

BYTES_PER_TOKEN: Final = 4.0
TOKENS_PER_TURN: Final = 4
TOKENS_PER_IMAGE: Final = 1000


def cost_usd(usage: Usage, price: Price) -> float:
    """Cost of a call by the configured price.

    Parameters
    ----------
    usage : Usage
        Tokens, each count >= 0; `cached_input_tokens` is a part of `input_tokens`
        and `reasoning_tokens` of `output_tokens`.
    price : Price
        US dollars per million tokens, each >= 0. Without a price for cached
        input, it costs as much as any input.

    Returns
    -------
    float
        US dollars, >= 0.

    Examples
    --------
    >>> price = Price(
    ...     input_usd_per_mtok=2.0, cached_input_usd_per_mtok=0.5, output_usd_per_mtok=8.0
    ... )
    >>> cost_usd(Usage(input_tokens=1000, cached_input_tokens=600, output_tokens=100), price)
    0.0019
    """
    cached_price = price.cached_input_usd_per_mtok
    if cached_price is None:
        cached_price = price.input_usd_per_mtok
    cached = min(usage.cached_input_tokens, usage.input_tokens)
    total = (
        (usage.input_tokens - cached) * price.input_usd_per_mtok
        + cached * cached_price
        + usage.output_tokens * price.output_usd_per_mtok
    )
    return total / 1e6


def estimated_tokens(text: str) -> int:
    """Estimate how many tokens a text has.

    Parameters
    ----------
    text : str
        Text in any language.

    Returns
    -------
    int
        Tokens, >= 0; at least 1 for a text that is not empty.

    Notes
    -----
    Four UTF-8 bytes to a token: about four letters of English, and three
    quarters of a token for each Chinese character. Meant for calls whose
    provider gave no count, where any bound is better than zero.

    Examples
    --------
    >>> estimated_tokens("What is the capital of France?")
    8
    """
    return -int(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def estimated_input(request: ModelRequest) -> Usage:
    """Usage of a call whose input was read, as far as its texts tell."""
    prompt = request.prompt
    parts = [part for turn in prompt.messages for part in turn.parts]
    tools = sum(estimated_tokens(f"{t.name}{t.description}{t.parameters}") for t in prompt.tools)
    passages = sum(estimated_tokens(passage.text) for passage in prompt.passages)
    return Usage(
        input_tokens=estimated_tokens(request.instruction)
        + sum(_part_tokens(part) for part in parts)
        + TOKENS_PER_TURN * len(prompt.messages)
        + tools
        + passages
    )


def estimated_usage(request: ModelRequest, written: str) -> Usage:
    """Usage of a call whose provider gave none but replied `written`."""
    return estimated_input(request) + Usage(output_tokens=estimated_tokens(written))


def _part_tokens(part: Part) -> int:
    match part:
        case str():
            return estimated_tokens(part)
        case Image():
            return TOKENS_PER_IMAGE
        case ToolCall():
            return estimated_tokens(part.name + part.arguments_json)
        case ToolResult():
            return estimated_tokens(part.content)
