"""Asks the aggregator to decide, and where the ensemble wants that to let a model write."""

from collections.abc import Iterable, Sequence
from typing import Final

from gremium.v1 import aggregator_pb2, manifest_pb2, types_pb2
from services.config.tree import Synthesis
from services.core.deadline import Deadline
from services.core.lease import Lease
from services.core.tokens import text_tokens
from services.gateway import budget
from services.gateway.case import Case
from services.gateway.estimates import ORDER_TOKENS
from services.gateway.losses import Seat
from services.gateway.mesh import Mesh
from services.gateway.record import Record
from services.runtime.wire import duration_to_wire, lease_to_wire

MOST_BYTES: Final = 4 * 1024 * 1024
"""Question and answers beyond which nobody is asked to write: half of what a message may have."""
TOO_LARGE: Final = "synthesis_too_large"
NOT_SHOWN: Final = "(an image that is not shown)"
NOTHING: Final = Lease(0.0, 0, 0)


def wanted(case: Case) -> Synthesis | None:
    """Who may write one answer out of several; None: nobody does, or the output is no prose."""
    kind = case.prompt.output_format.WhichOneof("kind")
    return case.ensemble.synthesis if kind in {None, "text"} else None


def timeout_s(case: Case) -> float:
    """Longest time that writing may take; 0 when nobody does."""
    writers = wanted(case)
    return writers.timeout_s if writers else 0.0


async def aggregate(
    case: Case,
    request: aggregator_pb2.AggregateRequest,
    *,
    tier: str,
    until: Deadline,
    mesh: Mesh,
    record: Record,
) -> aggregator_pb2.AggregateResponse:
    """Let the aggregator decide; something of the budget is kept for the verdict.

    Raises
    ------
    GremiumError
        If the aggregator failed.
    """
    writers = case.ensemble.synthesis
    if writers is None:
        return await decided(request, tier, until=until, mesh=mesh, record=record)
    spendable, kept = _before_verdict(case, record.lease)
    _order(case, writers, request, spendable)
    if request.ByteSize() > MOST_BYTES:
        request.ClearField("synthesis")
        response = await decided(request, tier, until=until, mesh=mesh, record=record)
        response.tally.fallback_trail.append(TOO_LARGE)
        return response
    seats = _seats(case, request.answers, spendable)
    with record.keeping(kept, of=spendable):
        response = await decided(request, tier, until=until, mesh=mesh, record=record, seats=seats)
        record.synthesised(response, tier=tier)
    return response


async def decided(
    request: aggregator_pb2.AggregateRequest,
    tier: str,
    *,
    until: Deadline,
    mesh: Mesh,
    record: Record,
    seats: Sequence[Seat] = (),
) -> aggregator_pb2.AggregateResponse:
    """Ask the aggregator; `seats` are the models that it may ask."""
    stage = manifest_pb2.STAGE_AGGREGATOR
    with record.stage(stage, deadline=until, tier=tier, seats=seats):
        return await mesh.aggregate(request, deadline=until)


def _before_verdict(case: Case, lease: Lease) -> tuple[Lease, Lease]:
    judge = case.ensemble.judge
    return budget.before_verdict(lease) if judge and judge.models else (lease, NOTHING)


def _order(
    case: Case, writers: Synthesis, request: aggregator_pb2.AggregateRequest, lease: Lease
) -> None:
    request.lease.CopyFrom(lease_to_wire(lease))
    request.synthesis.CopyFrom(
        aggregator_pb2.SynthesisSpec(
            models=writers.models,
            timeout=duration_to_wire(writers.timeout_s),
            max_output_tokens=writers.max_output_tokens,
            prompt=_without_images(case.prompt),
        )
    )


def _without_images(prompt: types_pb2.Prompt) -> types_pb2.Prompt:
    """The prompt with a word for each image: a synthesis is made of what the answers say."""
    told = types_pb2.Prompt()
    told.CopyFrom(prompt)
    for part in (part for turn in told.messages for part in turn.parts):
        if part.HasField("image"):
            part.text = NOT_SHOWN
    return told


def _seats(case: Case, answers: Iterable[types_pb2.Answer], lease: Lease) -> Sequence[Seat]:
    """Each model that may write: it may follow one that failed."""
    said = [text_tokens(answer.text) for answer in answers]
    writers = wanted(case)
    if writers is None or len(said) < 2:
        return ()
    seats = [
        Seat(
            name,
            name,
            ORDER_TOKENS + sum(said),
            writers.max_output_tokens or case.models[name].max_output_tokens,
        )
        for name in writers.models
    ]
    return seats[: lease.model_calls]
