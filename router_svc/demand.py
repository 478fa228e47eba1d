"""What a prompt asks of a model: tokens to read and write, images, tools. Pure."""

from dataclasses import dataclass
from typing import Final

from services.core.prompts import Image, Prompt

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
    schema: bool = False
    """Whether the answer must be JSON by a JSON Schema."""


def demand_of(prompt: Prompt, *, complexity: float) -> Demand:
    """Estimate what answering `prompt` takes. Uncalibrated."""
    expected = _expected_output_tokens(prompt, complexity)
    limit = prompt.params.max_output_tokens
    return Demand(
        input_tokens=prompt.tokens,
        output_tokens=expected if limit is None else min(expected, limit),
        output_limit_tokens=limit,
        images=any(isinstance(part, Image) for turn in prompt.messages for part in turn.parts),
        tools=bool(prompt.tools),
        schema=prompt.output_format.schema is not None,
    )


def _expected_output_tokens(prompt: Prompt, complexity: float) -> int:
    usual = OUTPUT_TOKENS[prompt.output_format.kind]
    if prompt.output_format.kind in {"labels", "number"}:
        return usual
    return round(usual * (0.5 + 3.0 * complexity))
