"""Asks models, one after the other, for one answer out of several; the representative is safe."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from aggregator_svc.candidates import ONE_ANSWER, Candidate, candidates, obstacle
from aggregator_svc.case import Case, Decision
from aggregator_svc.counting import led_by
from aggregator_svc.draft import Draft, read_draft, synthesis_prompt
from aggregator_svc.guess import guessed
from aggregator_svc.provenance import copied, objection
from services.core.answers import ModelRequest, Status
from services.core.deadline import Deadline
from services.core.lease import Lease
from services.core.prompts import Prompt
from services.core.unreadable import UnreadableError
from services.models.asked import Asked, unspent
from services.models.asking import ask
from services.models.backend import RosterModel
from services.models.pricing import dearest, limited, spare
from services.runtime.aside import aside

NO_BUDGET: Final = "synthesis_no_budget"
NO_TIME: Final = "synthesis_no_time"
FAILED: Final = "synthesis_failed"
UNREADABLE: Final = "synthesis_unreadable"
REJECTED: Final = "synthesis_rejected"
COPIED: Final = "synthesis_copied"
"""In the trail: why there is no synthesis though one could be made."""

RESERVE_S: Final = 0.2
"""Seconds kept back from the synthesis: a late one must not cost the representative."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a synthesis is to be made for, and by which means."""

    prompt: Prompt
    timeout_s: float
    """Longest time to wait for one model."""
    max_output_tokens: int | None
    """None: the model's own limit."""


@dataclass(frozen=True, slots=True)
class Written:
    """An answer that nobody gave. Indices are those of the answers."""

    text: str
    sources: tuple[int, ...]
    model: str
    """As its provider says it served."""
    family: str


@dataclass(frozen=True, slots=True)
class Synthesis:
    """How an order for a synthesis ended, and what it took."""

    unspent: Lease
    written: Written | None = None
    copied: int | None = None
    """Index of the answer that was written once more."""
    fallback: str = ""
    """Why there is none; empty when there is."""
    asked: tuple[tuple[RosterModel, Asked], ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """What came of one model's reply."""

    asked: Asked
    draft: Draft | None = None
    copied: Candidate | None = None
    fallback: str = ""

    @property
    def is_final(self) -> bool:
        """Whether no other model is asked: there is a draft, good or not."""
        return self.draft is not None or self.fallback == REJECTED


async def synthesised(
    case: Case,
    decision: Decision,
    order: Order,
    models: Sequence[RosterModel],
    *,
    lease: Lease,
    deadline: Deadline,
) -> Synthesis:
    """Let the first model that writes a readable draft put the answers together.

    A model that fails, is late or writes no draft is replaced by the next one
    while time and lease last. A draft that says what no source says is dropped
    for good.
    """
    if why := await aside(case.size, obstacle, case, decision):
        return Synthesis(lease, fallback=why)
    question = order.prompt.question
    found = await aside(case.size, lambda: candidates(case, decision, question=question))
    if len(found) < 2:
        return Synthesis(lease, fallback=ONE_ANSWER)
    return await _first_draft(found, order, models, lease=lease, deadline=deadline)


def settled(case: Case, decision: Decision, synthesis: Synthesis) -> Decision:
    """The decision, led by the answer that a synthesis was a copy of."""
    if synthesis.copied is None or decision.count is None:
        return decision
    members = sorted(i for each in decision.count.classes for i in each.members)
    count = guessed(led_by(decision.count, synthesis.copied), case.priors[members])
    return replace(decision, count=count)


async def _first_draft(
    found: Sequence[Candidate],
    order: Order,
    models: Sequence[RosterModel],
    *,
    lease: Lease,
    deadline: Deadline,
) -> Synthesis:
    until, left = deadline.reserve(RESERVE_S), lease
    request = ModelRequest(
        synthesis_prompt(order.prompt, found, max_output_tokens=order.max_output_tokens)
    )
    asked: list[tuple[RosterModel, Asked]] = []
    fallback = ""
    for model in models:
        if why := _cannot_ask(model, request, left, until):
            fallback = fallback or why
            continue
        read = await _read(model, request, found, order, lease=left, until=until)
        asked.append((model, read.asked))
        left = unspent(left, [read.asked])
        if read.is_final:
            return _ended(read, found, model, asked, left)
        fallback = read.fallback
    return Synthesis(left, fallback=fallback, asked=tuple(asked))


def _cannot_ask(model: RosterModel, request: ModelRequest, lease: Lease, until: Deadline) -> str:
    """Why a model cannot be asked any more; empty when it can."""
    call = dearest(request, model.spec)
    if lease.exhausted(free=model.spec.price.free) or not call.is_worth(call.output_within(lease)):
        return NO_BUDGET
    return NO_TIME if until.left_s == 0.0 else ""


async def _read(
    model: RosterModel,
    request: ModelRequest,
    found: Sequence[Candidate],
    order: Order,
    *,
    lease: Lease,
    until: Deadline,
) -> Read:
    call = dearest(request, model.spec)
    payable = limited(request, call.output_within(lease), call)
    purse = spare(lease, (payable, model.spec))
    asked = await ask(model, payable, deadline=until, timeout_s=order.timeout_s, purse=purse)
    size = len(asked.reply.text) if asked.reply else 0
    size += sum(len(each.text) for each in found)
    return await aside(size, examined, asked, found, order.prompt)


def examined(asked: Asked, found: Sequence[Candidate], prompt: Prompt) -> Read:
    """Read what a model replied; one whose reply is of no use is an unusable participant."""
    if asked.status is not Status.ANSWERED or asked.reply is None:
        return Read(asked, fallback=FAILED)
    try:
        draft = read_draft(asked.reply.text, found)
    except UnreadableError as err:
        return Read(_unusable(asked, err.reason, str(err)), fallback=UNREADABLE)
    if (original := copied(draft, found)) is not None:
        return Read(asked, draft, copied=original, fallback=COPIED)
    if (against := objection(draft, found, prompt)) is not None:
        return Read(_unusable(asked, against.reason, against.text), fallback=REJECTED)
    return Read(asked, draft)


def _unusable(asked: Asked, reason: str, text: str) -> Asked:
    return replace(asked, status=Status.UNUSABLE, reason=reason, reason_text=text)


def _ended(
    read: Read,
    found: Sequence[Candidate],
    model: RosterModel,
    asked: Sequence[tuple[RosterModel, Asked]],
    left: Lease,
) -> Synthesis:
    written = None
    if read.draft is not None and read.copied is None:
        sources = sorted(i for nth in read.draft.sources for i in found[nth].answers)
        served = read.asked.reply.served_model if read.asked.reply else ""
        written = Written(
            read.draft.text, tuple(sources), served or model.spec.model, model.spec.family
        )
    return Synthesis(
        unspent=left,
        written=written,
        copied=read.copied.answers[0] if read.copied else None,
        fallback=read.fallback,
        asked=tuple(asked),
    )
