"""Figures of the calls to models: how they ended, how long they took, what they used and cost."""

from typing import Final

from services.core.answers import Status, Usage
from services.models.asked import Asked, Attempt
from services.models.backend import RosterModel
from services.runtime import figures, metrics, names

ERRORS: Final = frozenset({Status.FAILED, Status.TIMED_OUT})
TIMED: Final = ERRORS | {Status.ANSWERED}
"""How calls end whose time says something of their model; others were stopped."""


def measure_call(model: RosterModel, attempt: Attempt, asked: Asked) -> None:
    """Note how one call ended that is the attempt's present one."""
    if not metrics.is_on():
        return
    metrics.add(figures.MODEL_CALLS, 1, model.service, model.name, asked.status.value, asked.reason)
    if not attempt.sent:
        return
    metrics.observe(figures.MODEL_WAIT, attempt.waited_s, model.service, model.name)
    metrics.add(figures.MODEL_COST, asked.cost_usd, model.service, model.name)
    of = _of(model)
    _measure_usage(of, asked.usage)
    if attempt.first_chunk_s is not None:
        metrics.observe(figures.FIRST_CHUNK, attempt.first_chunk_s, *of)
    if asked.status in TIMED:
        error = (asked.reason or asked.status.value) if asked.status in ERRORS else ""
        metrics.observe(figures.MODEL_DURATION, attempt.sent_for_s, *of, error)


def _of(model: RosterModel) -> tuple[str, ...]:
    provider = names.provider_called(model.spec.provider_name)
    return ("chat", provider, model.spec.model, model.name, model.service)


def _measure_usage(of: tuple[str, ...], usage: Usage) -> None:
    """Tokens that nobody knows of are no zero."""
    if usage.total_tokens:
        metrics.observe(figures.MODEL_TOKENS, usage.input_tokens, *of, "input")
        metrics.observe(figures.MODEL_TOKENS, usage.output_tokens, *of, "output")
