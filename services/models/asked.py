"""How asking a model went: the whole, and each attempt of it."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from services.core.answers import ModelReply, ModelRequest, Status, Usage
from services.core.lease import Lease
from services.models.listening import Listener
from services.models.pricing import usage_so_far

NEVER: Final = datetime.min.replace(tzinfo=UTC)
NOTHING: Final = Usage()


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How one of several calls for one answer ended."""

    status: Status
    reason: str
    """UPPER_SNAKE; empty when it gave the answer."""
    started_at: datetime
    duration_s: float
    span_id: str
    usage: Usage
    cost_usd: float
    model_calls: int
    hedge: bool = False
    """Whether it ran beside an earlier one that was slow, instead of after its failure."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How one question to a model ended, and what all calls for it cost."""

    status: Status
    reason: str = ""
    """UPPER_SNAKE; empty when it answered."""
    reason_text: str = ""
    reply: ModelReply | None = None
    started_at: datetime = NEVER
    duration_s: float = 0.0
    usage: Usage = NOTHING
    usage_estimated: bool = False
    usage_doubt: str = ""
    """Why the provider's own count was not believed, as words; empty: it was, or there was none."""
    cost_usd: float = 0.0
    model_calls: int = 0
    span_id: str = ""
    attempts: tuple[AttemptEnd, ...] = ()
    """The calls, oldest first; empty if there was but one."""


def unspent(lease: Lease, asked: Collection[Asked]) -> Lease:
    """What is left of a lease after these questions."""
    return lease.less(
        cost_usd=sum(each.cost_usd for each in asked),
        model_calls=sum(each.model_calls for each in asked),
        tokens=sum(each.usage.total_tokens for each in asked),
    )


@dataclass(slots=True)
class Attempt:
    """How far one question got, for whoever may cancel it: a cancelled call returns nothing."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    began_s: float = field(default_factory=monotonic)
    sent: bool = False
    """Whether the present call had its slot, so that the prompt may have been read and billed."""
    sent_s: float = 0.0
    """When it had."""
    span_id: str = ""
    """Span of the present call."""
    listener: Listener | None = None
    """Who hears the answer while it is written; None: nobody."""
    earlier: list[AttemptEnd] = field(default_factory=list)
    """Calls that failed before the present one, or lost against it."""
    earlier_estimated: bool = False
    """Whether the usage of one of them is an estimate."""
    call_started_at: datetime = NEVER
    call_began_s: float = 0.0
    hedge: bool = False
    """Whether the present call runs beside an earlier one."""
    lost: bool = False
    """Whether the present call was stopped because the one beside it was faster."""

    def __post_init__(self) -> None:
        self.call_started_at, self.call_began_s = self.started_at, self.began_s

    @property
    def heard(self) -> str:
        """What the model is known to have written so far."""
        return self.listener.heard if self.listener else ""

    def usage(self, request: ModelRequest) -> Usage:
        """What the present call has used if its model was reached, as far as is known."""
        return usage_so_far(request, self.heard, self.listener.used if self.listener else None)

    def dispatched(self) -> None:
        """The present call has its slot."""
        self.sent, self.sent_s = True, monotonic()

    @property
    def waited_s(self) -> float:
        """Time that the present call waited for its slot; to be asked when it has it."""
        return max(0.0, self.sent_s - self.call_began_s)

    @property
    def first_chunk_s(self) -> float | None:
        """Time from sending the present call to the first that was heard; None: nothing was."""
        first_at = self.listener.first_at if self.listener else None
        return None if first_at is None or not self.sent else max(0.0, first_at - self.sent_s)

    @property
    def sent_for_s(self) -> float:
        """Time since the present call had its slot; 0 while it waits for one."""
        return monotonic() - self.sent_s if self.sent else 0.0

    def beaten(self, other: "Attempt", asked: Asked) -> None:
        """The call beside the present one has ended like this, and is not the answer."""
        if asked.status is not Status.SKIPPED:
            self.earlier.append(other._end(asked))  # noqa: SLF001 - of its own kind
            self.earlier_estimated |= asked.usage_estimated

    def overtaken(self, other: "Attempt", asked: Asked) -> None:
        """The present call has ended like this; the one beside it is the present one now."""
        self.beaten(self, asked)
        self.sent, self.sent_s, self.span_id = other.sent, other.sent_s, other.span_id
        self.call_started_at, self.call_began_s = other.call_started_at, other.call_began_s
        self.listener, self.hedge, self.lost = other.listener, True, False

    def again(self, asked: Asked) -> None:
        """Begin another call after one that ended like this."""
        self.earlier.append(self._end(asked))
        self.earlier_estimated |= asked.usage_estimated
        self.sent, self.span_id, self.hedge = False, "", False
        if self.listener is not None:
            self.listener.used = None
        self.call_started_at, self.call_began_s = datetime.now(UTC), monotonic()

    def back(self) -> None:
        """Take back that another call began: it was not let through."""
        last = self.earlier.pop()
        self.sent, self.span_id, self.hedge = True, last.span_id, last.hedge
        self.call_started_at = last.started_at
        self.call_began_s = monotonic() - last.duration_s

    @property
    def call_s(self) -> float:
        """Time since the present call began."""
        return monotonic() - self.call_began_s

    def ended(self, asked: Asked) -> Asked:
        """The question's end: when it was, the span of its last call, and what all calls cost."""
        calls = sorted((*self.earlier, self._end(asked)), key=lambda end: end.started_at)
        return replace(
            asked,
            started_at=self.started_at,
            duration_s=monotonic() - self.began_s,
            span_id=self.span_id,
            usage=sum((end.usage for end in self.earlier), asked.usage),
            usage_estimated=asked.usage_estimated or self.earlier_estimated,
            cost_usd=asked.cost_usd + sum(end.cost_usd for end in self.earlier),
            model_calls=asked.model_calls + sum(end.model_calls for end in self.earlier),
            attempts=tuple(calls) if self.earlier else (),
        )

    def _end(self, asked: Asked) -> AttemptEnd:
        return AttemptEnd(
            status=asked.status,
            reason=asked.reason,
            started_at=self.call_started_at,
            duration_s=self.call_s,
            span_id=self.span_id,
            usage=asked.usage,
            cost_usd=asked.cost_usd,
            model_calls=asked.model_calls,
            hedge=self.hedge,
        )
