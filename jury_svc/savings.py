"""What not waiting for everyone was worth: an estimate, from those who answered."""

from collections.abc import Sequence

from jury_svc.case import Saved, Settled
from services.core.answers import ModelRequest, Status, Usage
from services.models.pricing import cost_usd, estimated_input


def saved(
    settled: Sequence[tuple[Settled, ModelRequest]], unheard: Sequence[tuple[Settled, ModelRequest]]
) -> Saved:
    """Calls, money and time that the unheard would have taken beyond what they did.

    Parameters
    ----------
    settled
        Those who ended by themselves, and what they were asked.
    unheard
        Those who were cut off or never asked because the jury stopped.
    """
    wrote = [end.asked.usage.output_tokens for end, _ in settled if end.answer is not None]
    usual = round(sum(wrote) / len(wrote)) if wrote else 0
    late_s = [left for end, _ in unheard if (left := _left_s(end)) is not None]
    return Saved(
        calls=sum(end.asked.status is Status.SKIPPED for end, _ in unheard),
        cost_usd=sum(_left_usd(end, request, usual) for end, request in unheard),
        time_s=max(late_s, default=None),
    )


def _left_usd(end: Settled, request: ModelRequest, usual: int) -> float:
    whole = estimated_input(request) + Usage(output_tokens=usual)
    return max(0.0, cost_usd(whole, end.juror.model.spec.price) - end.asked.cost_usd)


def _left_s(end: Settled) -> float | None:
    usual_s = end.juror.model.guard.latency_s(0.5)
    return None if usual_s is None else max(0.0, usual_s - end.asked.duration_s)
