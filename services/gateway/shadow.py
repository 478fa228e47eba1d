"""Asks cheaper tiers what dearer ones have answered, once nobody waits for it any more."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Protocol

import numpy as np

from gremium.v1 import ensemble_pb2, ledger_pb2, shadow_pb2
from services.config.budgets import SharedBudget
from services.config.tree import Config, Ensemble, Tiered
from services.core.deadline import Deadline
from services.gateway import shadow_record
from services.gateway.accounts import Account, Accounts, Hold
from services.gateway.case import Case
from services.gateway.measured import measure_shadow
from services.gateway.mesh import Mesh
from services.gateway.periods import period_start
from services.gateway.record import Record
from services.gateway.shadow_asking import asked, broken_off
from services.gateway.shadow_costs import Costs, possible
from services.gateway.shadow_draw import Draw, drawn, shadow_of
from services.ledger.shadows import charges
from services.ledger.sqlite import Ledger
from services.runtime import names
from services.runtime.admission import Admission
from services.runtime.spans import part_span

logger = logging.getLogger(__name__)

AT_ONCE: Final = 2
"""Most that are asked at the same time by one gateway."""
BUSY: Final = 0.5
"""Share of an ensemble's slots from which on the gateway has enough to do."""
STOP_S: Final = 2.0
"""Longest wait, when the gateway stops, for the records of those that it breaks off."""


class Call(Protocol):
    """A call that is answered."""

    def add_done_callback(self, callback: Any, /) -> None: ...


class Books(Protocol):
    """Where shadows are recorded."""

    async def append(
        self, kind: ledger_pb2.RecordKind.ValueType, request_id: str, payload: bytes
    ) -> None: ...


@asynccontextmanager
async def shadowing(
    config: Config, mesh: Mesh, ledger: Ledger, rng: np.random.Generator
) -> AsyncIterator["Shadows | None"]:
    """Breaks off what runs when the block ends; None where nobody wants it, or nothing is recorded."""
    wanted = shadow_budgets(config.ensembles)
    if not wanted or not ledger.records:
        yield None
        return
    today = period_start("day", datetime.now(UTC))
    spent = await asyncio.to_thread(charges, ledger.path, today)
    shadows = Shadows(mesh, ledger, Accounts(wanted, spent), rng)
    try:
        yield shadows
    finally:
        await shadows.stop()


class Shadows:
    """Background work of one gateway. One event loop, no locks."""

    def __init__(
        self, mesh: Mesh, books: Books, accounts: Accounts, rng: np.random.Generator
    ) -> None:
        self._mesh = mesh
        self._books = books
        self._accounts = accounts
        self._rng = rng
        self._running: set[asyncio.Task[None]] = set()
        self._stopped = False

    def after(
        self,
        call: Call,
        case: Case,
        reply: ensemble_pb2.AskResponse,
        *,
        slots: Iterable[Admission],
    ) -> None:
        """Consider a request when its call has ended: the caller has the reply by then."""
        if shadow_of(case) is None:
            return
        consider = partial(self._consider, case, reply, tuple(slots))
        call.add_done_callback(partial(copy_context().run, consider))

    def states(self, now: datetime) -> list[Account]:
        """What is left for the day, for each ensemble that has a shadow."""
        return self._accounts.states(now)

    @property
    def running(self) -> int:
        """How many run now."""
        return len(self._running)

    async def stop(self) -> None:
        """Break off what runs, and wait a little until it is recorded."""
        self._stopped = True
        for task in self._running:
            task.cancel()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=STOP_S)
            if late:
                logger.error("%d shadows did not stop within %g s", len(late), STOP_S)

    def _consider(
        self,
        case: Case,
        reply: ensemble_pb2.AskResponse,
        slots: Sequence[Admission],
        call: Any,
    ) -> None:
        if self._stopped or call.cancelled():
            return
        draw = drawn(case, reply, self._rng)
        if draw is None:
            return
        if self.running >= AT_ONCE or is_busy(slots):
            _left_out(case, reply, draw, "the gateway has much to do")
            return
        self._begin(case, reply, draw)

    def _begin(self, case: Case, reply: ensemble_pb2.AskResponse, draw: Draw) -> None:
        """Reserve what it may cost, and start it."""
        costs, now = possible(case, reply, draw.tier), datetime.now(UTC)
        hold = self._accounts.hold(
            ensemble=case.name, caller="", most_usd=costs.usd, free=True, now=now
        )
        if (shortage := hold.shortage(now)) is not None:
            hold.settle(0.0)
            _left_out(case, reply, draw, str(shortage))
            return
        task = asyncio.create_task(self._run(case, reply, draw, costs, hold))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a shadow failed", exc_info=error)

    async def _run(
        self, case: Case, reply: ensemble_pb2.AskResponse, draw: Draw, costs: Costs, hold: Hold
    ) -> None:
        tiers = {names.FROM_TIER: reply.manifest.chosen_tier, names.TO_TIER: draw.tier.name}
        with part_span("shadow", tiers):
            await self._ask(case, reply, draw, costs, hold)

    async def _ask(
        self, case: Case, reply: ensemble_pb2.AskResponse, draw: Draw, costs: Costs, hold: Hold
    ) -> None:
        """Ask, with as much time as the request had; every end is recorded."""
        given = replace(case.asking(case.asked.prompt), deadline=Deadline.after(case.allowed_s))
        record = Record(given)
        record.reserved(costs.usd)
        begun = shadow_record.begun(case, reply, draw, reserved_usd=costs.usd)
        try:
            await self._record(begun)
            finding = await asked(
                given, draw.tier, reply, costs=costs, mesh=self._mesh, record=record
            )
        except BaseException as err:
            finding = broken_off(err)
            raise
        finally:
            hold.settle(record.spent_usd)
            told = shadow_record.ended(begun, record.manifest.participations, finding)
            measure_shadow(told)
            await self._record(told)

    async def _record(self, record: shadow_pb2.ShadowRecord) -> None:
        kind, payload = ledger_pb2.RECORD_KIND_SHADOW, record.SerializeToString()
        await self._books.append(kind, record.request_id, payload)


def _left_out(case: Case, reply: ensemble_pb2.AskResponse, draw: Draw, why: str) -> None:
    """One that was drawn and is not begun counts in the figures alone."""
    logger.info("no shadow of request %s: %s", case.request_id, why)
    record = shadow_record.begun(case, reply, draw, reserved_usd=0.0)
    record.verdict = shadow_pb2.SHADOW_VERDICT_NOT_ASKED
    measure_shadow(record)


def is_busy(slots: Iterable[Admission]) -> bool:
    """Whether some ensemble has much to do: what is asked for nobody would make others wait."""
    return any(each.taken >= max(1.0, BUSY * each.slots) for each in slots)


def shadow_budgets(ensembles: Mapping[str, Ensemble]) -> dict[str, SharedBudget]:
    """What may be spent in a day, for each ensemble that wants a shadow."""
    wanted = {
        name: each.shadow
        for name, each in ensembles.items()
        if isinstance(each, Tiered) and each.shadow is not None
    }
    return {
        f"{name} shadow": SharedBudget(max_usd=shadow.max_usd_per_day, per="day", ensembles=(name,))
        for name, shadow in wanted.items()
    }
