"""The real jury on recorded answers that come as late as they did, on a faster clock."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any, Final

from bench.canonical import tools
from jury_svc.case import Case, Event, Juror
from jury_svc.deliberation import deliberate
from jury_svc.leads import Voter
from jury_svc.polling import Counting
from jury_svc.stopping import Terms
from services.config.tree import Model, Price
from services.core.answers import FinishReason, ModelReply, ModelRequest, Status, Usage
from services.core.deadline import Deadline
from services.core.lease import Lease
from services.core.prompts import Message, Prompt
from services.models.backend import RosterModel
from services.models.guard import Guard
from services.models.listening import Listener

SPEED: Final = 10.0
"""How much faster than recorded."""
LIMIT_S: Final = 60.0
LEASE: Final = Lease(cost_usd=1.0, model_calls=100)


@dataclass(frozen=True)
class Heard:
    """What a jury came to."""

    jurors: tuple[int, ...]
    """Whose answers it has."""
    cut: int
    """How many it cut off."""
    cut_usd: float
    """What those had spent."""
    adds_up: bool
    """Whether the lease is less by all that was spent."""


class Late:
    """A model that gives its recorded answer after its recorded time."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer

    async def generate(
        self, request: ModelRequest, *, deadline: Deadline, listener: Listener | None = None
    ) -> ModelReply:
        del request, deadline, listener
        await asyncio.sleep(self._answer["lat"] / SPEED)
        used = Usage(input_tokens=self._answer["in"], output_tokens=self._answer["out"])
        return ModelReply(
            text=self._answer["raw"] or "",
            finish_reason=FinishReason.STOP,
            usage=used,
            served_model="",
        )


async def heard_by_the_jury(
    row: Mapping[str, Any],
    prices: Mapping[str, tuple[float, float]],
    voters: Sequence[Voter],
    terms: Terms,
    quorum: int,
) -> Heard:
    jurors = [_juror(name, row["answers"][name], price) for name, price in prices.items()]
    prompt = Prompt(
        (Message("user", (str(row.get("question") or "Call a tool."),)),), tools=tools(row)
    )
    counting = Counting(terms, {voter.name: voter for voter in voters}, None, letters=False)
    case = Case(prompt, tuple(jurors), quorum, LIMIT_S, LEASE, counting)
    hearing = await deliberate(case, deadline=Deadline.after(LIMIT_S), tell=_nobody)
    ends = hearing.settled
    cut = [end for end in ends if end.asked.status is Status.CANCELLED]
    spent = sum(end.asked.cost_usd for end in ends)
    left_usd = hearing.unspent.cost_usd or 0.0
    return Heard(
        jurors=tuple(i for i, end in enumerate(ends) if end.answer is not None),
        cut=len(cut),
        cut_usd=sum(end.asked.cost_usd for end in cut),
        adds_up=isclose(left_usd + spent, LEASE.cost_usd or 0.0),
    )


def _juror(name: str, answer: Mapping[str, Any], price: tuple[float, float]) -> Juror:
    spec = Model(
        backend="openai",
        model=name,
        family=name,
        timeout_s=LIMIT_S,
        price=Price(input_usd_per_mtok=price[0], output_usd_per_mtok=price[1]),
    )
    return Juror(name, RosterModel(name, spec, Late(answer), Guard(spec)), "", LIMIT_S)


def _nobody(event: Event) -> None:
    del event
