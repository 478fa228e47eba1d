"""What a provider may have counted for one call, and what counts instead of more. No I/O."""

from dataclasses import replace
from typing import Final

from services.config.tree import Model
from services.core.answers import ModelRequest, Usage
from services.core.prompts import Image, Prompt
from services.models.pricing import dearest

READ_FACTOR: Final = 4
"""Times our estimate that a prompt may be read in; no tokenizer in use needs more."""
ADDED_TOKENS: Final = 1024
"""What a chat template, a server's own system text, or its note on tools adds to a prompt."""
IMAGE_TOKENS: Final = 50_000
"""Most that any provider counts for an image."""


def plausible(usage: Usage, request: ModelRequest, spec: Model) -> tuple[Usage, str]:
    """The usage of a call, and why it is not as its provider counted it; empty if it is.

    An input beyond what the prompt can have come to counts as our estimate, an
    output beyond what was allowed as all that was: what was reserved for the
    call. A recording's usage was weighed when it was recorded.

    Parameters
    ----------
    usage : Usage
        As counted by the provider.
    """
    if spec.backend == "recorded":
        return usage, ""
    most = dearest(request, spec)
    read_most = _read_most(request.prompt, spec, estimated=most.input_tokens)
    doubts = []
    if usage.input_tokens > read_most:
        doubts.append(f"{usage.input_tokens} input tokens of at most {read_most}")
        cached = min(usage.cached_input_tokens, most.input_tokens)
        usage = replace(usage, input_tokens=most.input_tokens, cached_input_tokens=cached)
    if usage.output_tokens > most.output_tokens:
        doubts.append(f"{usage.output_tokens} output tokens of at most {most.output_tokens}")
        thought = min(usage.reasoning_tokens, most.output_tokens)
        usage = replace(usage, output_tokens=most.output_tokens, reasoning_tokens=thought)
    return usage, "its provider counted " + " and ".join(doubts) if doubts else ""


def _read_most(prompt: Prompt, spec: Model, *, estimated: int) -> int:
    """Most tokens that a prompt can have come to; more than the context holds, none can."""
    images = sum(isinstance(part, Image) for turn in prompt.messages for part in turn.parts)
    most = READ_FACTOR * estimated + ADDED_TOKENS + images * IMAGE_TOKENS
    return min(most, max(spec.context_tokens, estimated))
