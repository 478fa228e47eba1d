"""The values of a deliberation: what is asked, what happens, what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass

from jury_svc.polling import Counting
from jury_svc.quorum import Stop
from jury_svc.stopping import Rule
from services.core.answers import Answer
from services.core.canonical import Ballot
from services.core.lease import Lease
from services.core.prompts import Prompt
from services.models.asked import Asked
from services.models.backend import RosterModel


@dataclass(frozen=True, slots=True)
class Juror:
    """A model of the roster, and how to ask it."""

    name: str
    model: RosterModel
    instruction: str
    timeout_s: float

    @property
    def free(self) -> bool:
        """Whether asking it costs nothing."""
        return self.model.spec.price.free


@dataclass(frozen=True, slots=True)
class Case:
    """What a jury is asked, and on what terms."""

    prompt: Prompt
    jurors: tuple[Juror, ...]
    quorum: int
    """Usable answers needed, in [1, size of `jurors`]."""
    grace_s: float
    """Seconds that stragglers get once the quorum is met."""
    lease: Lease
    counting: Counting | None = None
    """How ballots may stop the jury; None: quorum and grace alone do."""
    waves: tuple[int, ...] = ()
    """Sizes of waves; empty: all are asked at once."""


@dataclass(frozen=True, slots=True)
class Started:
    """A juror was asked."""

    juror: Juror


@dataclass(frozen=True, slots=True)
class Wrote:
    """A juror wrote some text."""

    juror: str
    text: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A juror answered, failed, was cut off, or was not asked."""

    juror: Juror
    asked: Asked
    answer: Answer | None = None
    """None unless it counts as a vote."""
    vote: Ballot | None = None
    """The answer's; None without one."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What those would have taken whom the jury did not wait for."""

    calls: int
    """Jurors who were never asked."""
    cost_usd: float
    time_s: float | None
    """None when too little is known of their models."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """What a jury stopped by, and what it was worth."""

    rule: Rule | None
    """None where no ballots counted."""
    statistic: float | None
    ballots: int
    saved: Saved


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a jury came to."""

    settled: tuple[Settled, ...]
    """One per juror, in juror order."""
    quorum_met: bool
    stop: Stop
    stopping: Stopping
    unspent: Lease


Event = Started | Wrote | Settled
Tell = Callable[[Event], None]
"""Takes note of an event; must not block."""
Hear = Callable[[str, str], None]
"""Takes a juror's name and what it has just written; must not block."""
