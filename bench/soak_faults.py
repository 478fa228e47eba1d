"""What a soak breaks in turn, and how the requests beside it may end."""

import asyncio
import itertools
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.soak_load import ANSWERED, LEFT, WITHOUT_A_STAGE, Got
from tests.fault.replicas import Cluster, Replica

FROZEN_S = 1.0
"""Less than a ping takes to notice it: its calls wait, and go on."""
MOST_UNEXCUSED = 0.001
"""Share of the requests that may end badly for no reason that is known."""
BESIDE_NONE = "nothing broken"


@dataclass(frozen=True)
class Fault:
    """What happens to the second replica of a service."""

    service: str
    what: str
    """`killed` or `frozen`."""
    excused: frozenset[str]
    """How a request may end meanwhile, besides with a whole answer."""

    def __str__(self) -> str:
        return f"{self.service} {self.what}"


FAULTS = (
    Fault("judge", "killed", frozenset({WITHOUT_A_STAGE})),
    Fault("router", "killed", frozenset({WITHOUT_A_STAGE})),
    Fault("aggregator", "killed", frozenset({WITHOUT_A_STAGE})),
    Fault("jury", "frozen", frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})),
)


@dataclass(frozen=True)
class Outage:
    """One time that a fault lasted, in seconds since the load began."""

    fault: Fault
    began_s: float
    ended_s: float

    def is_beside(self, got: Got) -> bool:
        """Whether a request ran while it lasted."""
        return got.at_s > self.began_s and got.at_s - got.took_s < self.ended_s


async def break_on(
    mesh: Cluster, every_s: float, clock: Callable[[], float], seen: list[Outage]
) -> None:
    """Break one service after the other, and have it back each time, until cancelled."""
    for fault in itertools.cycle(FAULTS):
        await asyncio.sleep(every_s)
        victim, began_s = mesh.replicas[fault.service][1], clock()
        await asyncio.to_thread(_frozen if fault.what == "frozen" else _killed, victim)
        seen.append(Outage(fault, began_s, clock()))


def _killed(victim: Replica) -> None:
    victim.send(signal.SIGKILL)
    victim.ended()
    victim.start()
    victim.until_serving()


def _frozen(victim: Replica) -> None:
    with victim.frozen():
        time.sleep(FROZEN_S)


@dataclass(frozen=True)
class Account:
    """What became of the requests beside one fault."""

    beside: str
    outages: int
    ends: Counter[str]
    unexcused: int
    """Ends that neither the fault nor the caller accounts for."""


def accounted(got: Sequence[Got], outages: Sequence[Outage]) -> list[Account]:
    """Of each fault that happened, and of no fault, what became of the requests beside it.

    A request beside several faults counts for each, and is excused by any.
    """
    ends: dict[str, Counter[str]] = {BESIDE_NONE: Counter()}
    unexcused: Counter[str] = Counter()
    for each in got:
        faults = {outage.fault for outage in outages if outage.is_beside(each)}
        excused = {ANSWERED, LEFT}.union(*(fault.excused for fault in faults))
        for name in [str(fault) for fault in faults] or [BESIDE_NONE]:
            ends.setdefault(name, Counter())[each.what] += 1
            unexcused[name] += each.what not in excused
    happened = Counter(str(outage.fault) for outage in outages)
    return [Account(name, happened[name], ends[name], unexcused[name]) for name in ends]


def unexcused_share(accounts: Sequence[Account]) -> float:
    """Of all ends the share that nothing accounts for."""
    ends = sum(each.ends.total() for each in accounts)
    return sum(each.unexcused for each in accounts) / max(1, ends)


def accounts_table(accounts: Sequence[Account]) -> str:
    """One row a fault: how often it was, how requests ended, and which of that it does not excuse."""
    rows = [("beside", "times", "unexcused", "requests")]
    for each in accounts:
        ends = ", ".join(f"{count} {what}" for what, count in each.ends.most_common())
        rows.append((each.beside, str(each.outages or ""), str(each.unexcused), ends))
    widths = [max(len(row[nth]) for row in rows) for nth in range(3)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2]), row[3]]
        )
        for row in rows
    )
