"""What a stage that was lost underway may have spent: the most it can have been. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from gremium.v1 import aggregator_pb2, manifest_pb2, router_pb2, types_pb2
from services.config.tree import Judge, Model
from services.core.answers import Usage, is_independent
from services.core.lease import Call, Lease
from services.core.tokens import text_tokens
from services.gateway import messages
from services.gateway.case import Case
from services.gateway.recusal import judges_of
from services.runtime.wire import usage_to_wire

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
    output_tokens: int
    """Most that it may write."""


def jury_seats(case: Case, tier: router_pb2.Tier, lease: Lease) -> Sequence[Seat]:
    """The jurors of a tier that the lease has calls for."""
    seats = [
        Seat(
            juror.label,
            juror.model,
            text_tokens(juror.instruction),
            _most(case, case.models[juror.model]),
        )
        for juror in messages.jurors(case, tier)
    ]
    return seats[: lease.model_calls]


def judge_seats(
    case: Case, judge: Judge, aggregated: aggregator_pb2.AggregateResponse, lease: Lease
) -> Sequence[Seat]:
    """The judges outside of jury and family of the answer: each may follow one that failed."""
    answer = aggregated.representative
    written = [answer.text, *(call.arguments_json for call in answer.tool_calls)]
    added = RUBRIC_TOKENS + sum(text_tokens(text) for text in written)
    independent = _independent(case, judge, answer, tier=aggregated.tally.tier)
    return [_judge_seat(case, name, added) for name in independent][: lease.model_calls]


def duel_seats(
    case: Case,
    judge: Judge,
    answers: Sequence[types_pb2.Answer],
    lease: Lease,
    *,
    tier: str,
) -> Sequence[Seat]:
    """Each independent judge for each order of each pair of answers: it may follow one that failed."""
    seats = []
    for one, two in permutations(answers, 2):
        fair = [
            name
            for name in _independent(case, judge, one, tier=tier)
            if name in _independent(case, judge, two, tier=tier)
        ]
        added = RUBRIC_TOKENS + text_tokens(one.text) + text_tokens(two.text)
        seats += [_judge_seat(case, name, added) for name in fair]
    return seats[: lease.model_calls]


def _judge_seat(case: Case, name: str, added_tokens: int) -> Seat:
    """Limits that the request sets on answers are none on verdicts."""
    return Seat(name, name, added_tokens, case.models[name].max_output_tokens)


def _independent(case: Case, judge: Judge, answer: types_pb2.Answer, *, tier: str) -> list[str]:
    """Judges outside of the jury and of another family than an answer's; none when not known."""
    return [
        name
        for name in judges_of(judge, case.ensemble, tier)
        if is_independent(case.models[name].family, answer.family)
    ]


def lost(
    part: manifest_pb2.Participation, seats: Sequence[Seat], case: Case, lease: Lease
) -> list[manifest_pb2.Participation]:
    """Each seat's participation in a stage that had `lease` and ended as `part` says.

    Its usage is an upper estimate: of each call that could be made, retries
    and a second one beside it included, all that it was to read, and as much as
    it may write. All seats together spend no more than the lease.
    """
    dearest = [_dearest(case, seat) for seat in seats]
    calls = _calls([_most_calls(case.models[seat.model]) for seat in seats], dearest, lease)
    costs = [made * call.cost_usd for made, call in zip(calls, dearest, strict=True)]
    tokens = [made * call.tokens for made, call in zip(calls, dearest, strict=True)]
    paid, used = _share(lease.cost_usd, costs), _share(lease.tokens, tokens)
    return [
        _told(part, seat, case, Call(*_scaled(call, used * made)), calls=made, cost_usd=paid * cost)
        for seat, call, made, cost in zip(seats, dearest, calls, costs, strict=True)
    ]


def _told(
    part: manifest_pb2.Participation,
    seat: Seat,
    case: Case,
    used: Call,
    *,
    calls: int,
    cost_usd: float,
) -> manifest_pb2.Participation:
    spec = case.models[seat.model]
    told = manifest_pb2.Participation(
        name=seat.name,
        model=seat.model,
        requested_model=spec.model,
        provider=spec.provider_name,
        family=spec.family,
        usage=usage_to_wire(Usage(used.input_tokens, 0, used.output_tokens)),
        cost_usd=cost_usd,
        model_calls=calls,
        usage_estimated=True,
    )
    told.MergeFrom(part)
    if part.stage == manifest_pb2.STAGE_AGGREGATOR:
        told.stage = manifest_pb2.STAGE_SYNTHESIS
    return told


def _dearest(case: Case, seat: Seat) -> Call:
    """One call to a seat's model at its dearest."""
    spec = case.models[seat.model]
    return Call(
        case.prompt_tokens + seat.added_tokens,
        seat.output_tokens,
        spec.price.input_usd_per_mtok,
        spec.price.output_usd_per_mtok,
    )


def _most_calls(spec: Model) -> int:
    """Most calls for one answer: a second one beside the first counts as an attempt."""
    return max(spec.retry.max_attempts, 2 if spec.hedge else 1)


def _calls(most: Sequence[int], dearest: Sequence[Call], lease: Lease) -> list[int]:
    """Calls that each seat may have made: first one each, then the dearest seats ask again."""
    left = sum(most) if lease.model_calls is None else lease.model_calls
    made = [int(seat < left) for seat in range(len(most))]
    left -= sum(made)
    for seat in sorted(range(len(most)), key=lambda seat: -dearest[seat].cost_usd):
        more = min(most[seat] - made[seat], left)
        made[seat], left = made[seat] + more, left - more
    return made


def _share(limit: float | None, wanted: Sequence[float]) -> float:
    """Share of what all seats want that a limit lets them have, in [0, 1]."""
    total = sum(wanted)
    return 1.0 if limit is None or total <= limit else limit / total


def _scaled(call: Call, factor: float) -> tuple[int, int]:
    return int(call.input_tokens * factor), int(call.output_tokens * factor)


def _most(case: Case, spec: Model) -> int:
    """Most tokens that an answer may have."""
    params = case.prompt.params
    limited = params.HasField("max_output_tokens")
    return params.max_output_tokens if limited else spec.max_output_tokens


def is_missing(juror: manifest_pb2.Participation) -> bool:
    """Whether an answer stands without a juror that was asked for it and might have changed it."""
    return juror.status in MISSING and juror.reason != DECIDED


def is_unwritten(asked: Sequence[manifest_pb2.Participation]) -> bool:
    """Whether models were asked to write one answer out of several, and none did."""
    answered = manifest_pb2.PARTICIPATION_STATUS_ANSWERED
    return bool(asked) and all(part.status != answered for part in asked)
