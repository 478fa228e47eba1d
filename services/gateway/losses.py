"""What a stage that was lost underway may have spent: the most it can have been. No I/O."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from gremium.v1 import aggregator_pb2, manifest_pb2, router_pb2, types_pb2
from services.config.tree import Judge, Model
from services.core.answers import Usage, families
from services.core.lease import Lease
from services.core.tokens import prompt_tokens, text_tokens
from services.gateway import messages
from services.gateway.case import Case
from services.models.pricing import cost_usd
from services.runtime.wire import prompt_from_wire, usage_to_wire

RUBRIC_TOKENS: Final = 1024
"""Most that a judge is told beside the prompt and the answer."""
MISSING: Final = frozenset(
    {
        manifest_pb2.PARTICIPATION_STATUS_FAILED,
        manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT,
        manifest_pb2.PARTICIPATION_STATUS_CANCELLED,
    }
)
"""How jurors end who failed, or hung until the others were done."""
DECIDED: Final = "DECIDED"
"""Why a juror was cut off that nobody waited for: the ballots that were in had decided."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A model that a stage is about to ask."""

    name: str
    model: str
    added_tokens: int
    """What it reads beside the prompt."""


def jury_seats(case: Case, tier: router_pb2.Tier, lease: Lease) -> Sequence[Seat]:
    """The jurors of a tier that the lease has calls for."""
    seats = [
        Seat(juror.label, juror.model, text_tokens(juror.instruction))
        for juror in messages.jurors(case, tier)
    ]
    return seats[: lease.model_calls]


def judge_seats(
    case: Case, judge: Judge, aggregated: aggregator_pb2.AggregateResponse, lease: Lease
) -> Sequence[Seat]:
    """The judges of another family than the answer's: each may follow one that failed."""
    answer = aggregated.representative
    written = [answer.text, *(call.arguments_json for call in answer.tool_calls)]
    added = RUBRIC_TOKENS + sum(text_tokens(text) for text in written)
    independent = _independent(case, judge, answer)
    return [Seat(name, name, added) for name in independent][: lease.model_calls]


def duel_seats(
    case: Case, judge: Judge, answers: Sequence[types_pb2.Answer], lease: Lease
) -> Sequence[Seat]:
    """Each independent judge for each order of each pair of answers: it may follow one that failed."""
    seats = []
    for one, two in permutations(answers, 2):
        fair = [
            name
            for name in _independent(case, judge, one)
            if name in _independent(case, judge, two)
        ]
        added = RUBRIC_TOKENS + text_tokens(one.text) + text_tokens(two.text)
        seats += [Seat(name, name, added) for name in fair]
    return seats[: lease.model_calls]


def _independent(case: Case, judge: Judge, answer: types_pb2.Answer) -> list[str]:
    """Judges of another family than an answer's; none when that is not known."""
    authors = families(answer.family)
    return [
        name
        for name in judge.models
        if authors and case.models[name].family.strip().casefold() not in authors
    ]


def lost(
    part: manifest_pb2.Participation, seats: Iterable[Seat], case: Case
) -> Iterator[manifest_pb2.Participation]:
    """Each seat's participation in a stage that ended as `part` says.

    Its usage is an upper estimate: all that it was to read, and as much as it
    may write.
    """
    read = prompt_tokens(prompt_from_wire(case.prompt))
    for seat in seats:
        spec = case.models[seat.model]
        usage = Usage(input_tokens=read + seat.added_tokens, output_tokens=_most(case, spec))
        told = manifest_pb2.Participation(
            name=seat.name,
            model=seat.model,
            requested_model=spec.model,
            provider=spec.provider_name,
            family=spec.family,
            usage=usage_to_wire(usage),
            cost_usd=cost_usd(usage, spec.price),
            model_calls=1,
            usage_estimated=True,
        )
        told.MergeFrom(part)
        yield told


def _most(case: Case, spec: Model) -> int:
    """Most tokens that an answer may have."""
    params = case.prompt.params
    limited = params.HasField("max_output_tokens")
    return params.max_output_tokens if limited else spec.max_output_tokens


def is_missing(juror: manifest_pb2.Participation) -> bool:
    """Whether an answer stands without a juror that was asked for it and might have changed it."""
    return juror.status in MISSING and juror.reason != DECIDED
