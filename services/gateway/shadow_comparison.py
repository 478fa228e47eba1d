"""Compares two tiers' answers: by their ballots, or prose by a judge who is not told who wrote it."""

from dataclasses import dataclass
from typing import Final

from gremium.v1 import judge_pb2, manifest_pb2, shadow_pb2, types_pb2
from services.config.shadow import judges_between
from services.config.tree import Judge, Tiered
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.gateway import losses, messages, synthesis
from services.gateway.case import Case
from services.gateway.confidence import agrees_with
from services.gateway.mesh import Mesh
from services.gateway.record import Record
from services.gateway.shadow_draw import is_prose, shadow_of

BALLOTS: Final = "ballots"
JUDGE: Final = "judge"
GIVEN: Final = "0"
OTHER: Final = "1"
"""What the two answers are called: nobody who compares them learns who wrote which."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of asking the cheaper tier."""

    verdict: shadow_pb2.ShadowVerdict.ValueType
    method: str = ""
    reason: str = ""
    """UPPER_SNAKE; empty where it is known how the answers compare."""
    reason_text: str = ""
    score: float | None = None
    """The judge's of the cheaper tier's answer, in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two answers to one prompt."""

    given: types_pb2.Answer
    other: types_pb2.Answer
    """Of the cheaper tier."""

    @property
    def unnamed(self) -> list[types_pb2.Answer]:
        return messages.unnamed((self.given, self.other))


async def compared(case: Case, pair: Pair, *, mesh: Mesh, record: Record) -> Finding:
    """How the cheaper tier's answer compares with the one that was given."""
    shadow = shadow_of(case)
    until = Deadline.after(shadow.timeout_s if shadow else 0.0)
    compare = _by_judge if is_prose(case, pair.given, pair.other) else _by_ballots
    try:
        return await compare(case, pair, until=until, mesh=mesh, record=record)
    except GremiumError as err:
        return _unjudged(err.reason)


async def _by_ballots(
    case: Case, pair: Pair, *, until: Deadline, mesh: Mesh, record: Record
) -> Finding:
    request = messages.comparison(case, (pair.given, pair.other))
    tally = (
        await synthesis.decided(request, pair.other.tier, until=until, mesh=mesh, record=record)
    ).tally
    if spoilt := [ballot.reason for ballot in tally.ballots if not ballot.key]:
        return _unjudged(spoilt[0], "one of the answers is no ballot")
    same = GIVEN in agrees_with(tally, OTHER)
    equal, different = shadow_pb2.SHADOW_VERDICT_EQUAL, shadow_pb2.SHADOW_VERDICT_DIFFERENT
    return Finding(equal if same else different, BALLOTS)


async def _by_judge(
    case: Case, pair: Pair, *, until: Deadline, mesh: Mesh, record: Record
) -> Finding:
    judge = judge_between(case, pair)
    request = messages.rank_request(
        case, judge, pair.unnamed, record.lease, tier=pair.other.tier, late=record.late_judges
    )
    request.ClearField("reliabilities")  # they were learned of the judges of single ensembles
    tier, stage = pair.other.tier, manifest_pb2.STAGE_JUDGE
    seats = losses.duel_seats(case, judge, pair.unnamed, record.lease, tier=tier)
    with record.stage(stage, deadline=until, tier=tier, seats=seats) as part:
        response = await mesh.rank(request, deadline=until)
    record.ranked(response, part)
    return _ranked(response)


def judge_between(case: Case, pair: Pair) -> Judge:
    """Who compares: nobody who sits in one of the two juries."""
    shadow, ensemble = shadow_of(case), case.ensemble
    if shadow is None or not isinstance(ensemble, Tiered):
        return Judge()
    models = judges_between(ensemble, pair.given.tier, pair.other.tier)
    return Judge(models=tuple(models), timeout_s=shadow.timeout_s)


def _ranked(response: judge_pb2.RankResponse) -> Finding:
    """What a judge found; where the order in which it saw them decided, it found nothing."""
    other = next(each for each in response.ranking if each.juror == OTHER)
    if not other.comparisons:
        return _unjudged("NOT_COMPARED", "no judge of another family compared the two answers")
    if other.position_inconsistent:
        return _unjudged("ORDER_DECIDED", "the judge chose by the order in which it saw them")
    method = JUDGE if response.participations else BALLOTS
    if other.score == 0.0:
        verdict = shadow_pb2.SHADOW_VERDICT_EQUAL
    elif other.score > 0.0:
        verdict = shadow_pb2.SHADOW_VERDICT_BETTER
    else:
        verdict = shadow_pb2.SHADOW_VERDICT_WORSE
    return Finding(verdict, method, score=other.score if response.participations else None)


def _unjudged(reason: str, text: str = "") -> Finding:
    return Finding(shadow_pb2.SHADOW_VERDICT_UNJUDGED, reason=reason, reason_text=text)
