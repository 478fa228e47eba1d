"""Who writes one answer out of several, as the configuration words it."""

from typing import Final

from pydantic import Field

from services.config.section import Name, Seconds, Section

SYNTHESIS: Final = "synthesis"
"""What manifests call the juror of a synthesis."""
BY_MEANING: Final = frozenset({"auto", "semantic_mean", "medoid", "weighted"})
"""Methods that compare prose by its meaning."""


class Synthesis(Section):
    """Who writes one answer out of several, where they are prose and differ.

    It is made of what the jurors said: of its sources, which the manifest names, and with no
    number or quotation that stands neither there nor in the prompt. Whatever else a model writes is
    dropped, and the jurors' most representative answer is given.
    """

    models: tuple[Name, ...] = Field(min_length=1, max_length=16)
    """Models of the roster in order of preference; the next one is asked when the one before
    fails."""
    timeout_s: Seconds = 15.0
    """Longest time to wait for one of them."""
    max_output_tokens: int | None = Field(default=None, ge=16, le=1_000_000)
    """Most tokens that it may write; unset: the model's own limit."""
