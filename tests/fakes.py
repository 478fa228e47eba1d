"""Stand-ins that honour the protocols and misbehave on request."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gremium.v1 import (
    aggregator_pb2,
    judge_pb2,
    jury_pb2,
    manifest_pb2,
    router_pb2,
    types_pb2,
)
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.runtime.wire import timestamp_to_wire

PASS = manifest_pb2.Verdict(kind=manifest_pb2.VERDICT_KIND_PASS, score=0.9)
FAIL = manifest_pb2.Verdict(kind=manifest_pb2.VERDICT_KIND_FAIL, score=0.1)
UNSAFE = manifest_pb2.Verdict(kind=manifest_pb2.VERDICT_KIND_FAIL, unsafe=True)
UNJUDGED = manifest_pb2.Verdict(
    kind=manifest_pb2.VERDICT_KIND_UNJUDGED, unjudged_reason="NOT_A_VERDICT"
)

Said = str | None
"""What a juror says; None: it fails."""


class ScriptedMesh:
    """A mesh whose jurors and judge read their lines from a script.

    The aggregator finds consensus unless the tier is in `split`. Each juror
    and each verdict is one model call of 10 + 5 tokens and 0.01 US dollars.
    """

    def __init__(
        self,
        tiers: Mapping[str, Sequence[Said] | GremiumError],
        *,
        verdicts: Iterable[manifest_pb2.Verdict | GremiumError] = (),
        split: Iterable[str] = (),
        routing: GremiumError | None = None,
        counting: GremiumError | None = None,
        hangs: bool = False,
    ) -> None:
        self._tiers = tiers
        self._verdicts = deque(verdicts)
        self._split = frozenset(split)
        self._routing = routing
        self._counting = counting
        self._hangs = hangs
        self.asked: list[str] = []
        """Tiers that were asked."""
        self.leases: list[types_pb2.Lease] = []
        """What each call to a model could spend."""

    async def route(
        self, request: router_pb2.RouteRequest, *, deadline: Deadline
    ) -> router_pb2.RouteResponse:
        if self._routing:
            raise self._routing
        tiers = [
            router_pb2.Tier(name=name, jurors=_names(name, said), quorum=_quorum(said))
            for name, said in self._tiers.items()
        ]
        return router_pb2.RouteResponse(decision=router_pb2.RouteDecision(tiers=tiers))

    async def deliberate(
        self, request: jury_pb2.DeliberateRequest, *, deadline: Deadline, watch: Any = None
    ) -> jury_pb2.DeliberateResponse:
        self.asked.append(request.tier)
        self.leases.append(request.lease)
        if self._hangs:
            await asyncio.sleep(deadline.left_s + 60)
        said = self._tiers[request.tier]
        if isinstance(said, GremiumError):
            raise said
        spoken = list(zip(request.jurors, said, strict=True))
        answers = [_answer(juror, text) for juror, text in spoken if text is not None]
        return jury_pb2.DeliberateResponse(
            answers=answers,
            participations=[_part(juror, text, request.tier) for juror, text in spoken],
            quorum_met=len(answers) >= request.quorum,
            unspent=_less(request.lease, calls=len(spoken)),
        )

    async def aggregate(
        self, request: aggregator_pb2.AggregateRequest, *, deadline: Deadline
    ) -> aggregator_pb2.AggregateResponse:
        if self._counting:
            raise self._counting
        ballots = [manifest_pb2.Ballot(juror=answer.juror) for answer in request.answers]
        agreed = self.asked[-1] not in self._split
        return aggregator_pb2.AggregateResponse(
            tally=manifest_pb2.Tally(
                consensus=agreed, ballots=ballots, **_classes(request.answers)
            ),
            representative=request.answers[0],
        )

    async def verify(
        self, request: judge_pb2.VerifyRequest, *, deadline: Deadline
    ) -> judge_pb2.VerifyResponse:
        self.leases.append(request.lease)
        verdict = self._verdicts.popleft()
        if isinstance(verdict, GremiumError):
            raise verdict
        return judge_pb2.VerifyResponse(
            verdict=verdict, unspent=_less(request.lease, calls=1), participations=[_judge_part()]
        )


def _classes(answers: Iterable[types_pb2.Answer]) -> dict[str, Any]:
    """Answers with the same text are of one class; each counts 1."""
    jurors: dict[str, list[str]] = {}
    for answer in answers:
        jurors.setdefault(answer.text[:16], []).append(answer.juror)
    total = sum(len(names) for names in jurors.values())
    classes = [
        manifest_pb2.TallyClass(key=text, jurors=names, share=len(names) / total)
        for text, names in jurors.items()
    ]
    return {"classes": classes, "leader": max(classes, key=lambda found: found.share).key}


class HungServicer:
    """A service that takes every call and answers none."""

    def __getattr__(self, method: str) -> Callable[[Any, Any], Any]:
        async def hang(request: Any, context: Any) -> None:
            await asyncio.Event().wait()

        async def hang_streaming(request: Any, context: Any) -> AsyncIterator[None]:
            await asyncio.Event().wait()
            yield

        return hang_streaming if method.endswith("Stream") else hang


class HungTier:
    """A jury that answers for all tiers but one."""

    def __init__(self, jury: Any, tier: str) -> None:
        self._jury = jury
        self._tier = tier

    async def Deliberate(self, request: Any, context: Any) -> Any:
        if request.tier == self._tier:
            await asyncio.Event().wait()
        return await self._jury.Deliberate(request, context)

    async def DeliberateStream(self, request: Any, context: Any) -> AsyncIterator[Any]:
        if request.deliberation.tier == self._tier:
            await asyncio.Event().wait()
        async for event in self._jury.DeliberateStream(request, context):
            yield event


def _names(tier: str, said: Sequence[Said] | GremiumError) -> list[str]:
    seats = 1 if isinstance(said, GremiumError) else len(said)
    return [f"{tier}-{nth}" for nth in range(seats)]


def _quorum(said: Sequence[Said] | GremiumError) -> int:
    return 1 if isinstance(said, GremiumError) else len(said) // 2 + 1


def _answer(juror: jury_pb2.JurorSpec, text: str) -> types_pb2.Answer:
    return types_pb2.Answer(juror=juror.name, text=text, model=juror.model)


def _part(juror: jury_pb2.JurorSpec, text: Said, tier: str) -> manifest_pb2.Participation:
    answered = text is not None
    return manifest_pb2.Participation(
        stage=manifest_pb2.STAGE_JURY,
        name=juror.name,
        model=juror.model,
        tier=tier,
        status=(
            manifest_pb2.PARTICIPATION_STATUS_ANSWERED
            if answered
            else manifest_pb2.PARTICIPATION_STATUS_FAILED
        ),
        reason="" if answered else "CONNECTION",
        start_time=timestamp_to_wire(datetime.now(UTC)),
        usage=types_pb2.Usage(input_tokens=10, output_tokens=5 if answered else 0),
        cost_usd=0.01,
        model_calls=1,
    )


def _judge_part() -> manifest_pb2.Participation:
    return manifest_pb2.Participation(
        stage=manifest_pb2.STAGE_JUDGE,
        name="judge",
        model="judge",
        status=manifest_pb2.PARTICIPATION_STATUS_ANSWERED,
        usage=types_pb2.Usage(input_tokens=10, output_tokens=5),
        cost_usd=0.01,
        model_calls=1,
    )


def _less(lease: types_pb2.Lease, *, calls: int) -> types_pb2.Lease:
    left = types_pb2.Lease()
    left.CopyFrom(lease)
    if lease.HasField("model_calls"):
        left.model_calls = max(0, lease.model_calls - calls)
    return left
