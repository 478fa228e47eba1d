"""The whole life of one request. Start reading the mesh here."""

import asyncio
import hashlib
import logging
from datetime import UTC, datetime
from typing import Final

from gremium.v1 import ensemble_pb2
from services.config.tree import (
    CascadeEnsemble,
    JuryEnsemble,
    RouteEnsemble,
    SpecialistsEnsemble,
)
from services.core.errors import (
    BudgetSpentError,
    DeadlineSpentError,
    LedgerError,
    NoEligibleTierError,
)
from services.gateway import estimates
from services.gateway.accounts import Accounts, Hold
from services.gateway.case import Case
from services.gateway.ending import Ending
from services.gateway.measured import measured
from services.gateway.mesh import Mesh
from services.gateway.patterns.cascade import cascade
from services.gateway.patterns.jury import jury
from services.gateway.patterns.route import route
from services.gateway.patterns.specialists import specialists
from services.gateway.record import Record
from services.gateway.watch import Watch
from services.ledger.sqlite import Ledger

logger = logging.getLogger(__name__)

NO_ACCOUNTS: Final = Accounts({})
"""Requests share no budget."""
NO_HOLD: Final = Hold((), None, wanted_usd=0.0)
LAST_WRITE_S: Final = 1.0
"""Longest wait for the record of a failure; it is kept even when nobody waits for it."""


async def ask(
    case: Case,
    *,
    mesh: Mesh,
    ledger: Ledger,
    accounts: Accounts = NO_ACCOUNTS,
    watch: Watch | None = None,
) -> ensemble_pb2.AskResponse:
    """Reserve what it may cost, record the intent, let the pattern answer, record the end, reply.

    A request that was recorded before gets its reply again and spends nothing.
    Whoever watches is told each step.

    Raises
    ------
    BudgetSpentError
        If nothing is left of a budget that requests share.
    GremiumError
        If there is no outcome, once the ledger has all that was answered and spent.
    """
    record = Record(case, watch=watch, tell_spent=ledger.spent if ledger.records else None)
    with measured(case, record):
        hold = _hold(case, record, accounts)
        try:
            with case.live.answering(record.manifest):
                return await _ask(case, record, hold, mesh=mesh, ledger=ledger)
        finally:
            hold.settle(record.spent_usd)


async def recorded(case: Case, *, ledger: Ledger) -> ensemble_pb2.AskResponse | None:
    """What the caller's request_id came to before; None if it is new, starts anew or is ours.

    Raises
    ------
    GremiumError
        As the first call did, or if that still runs or had another body.
    """
    if not case.asked.request_id:
        return None
    try:
        async with asyncio.timeout(case.deadline.remaining()):
            return await ledger.recorded(case.request_id, fingerprint=fingerprint(case.asked))
    except TimeoutError as err:
        raise DeadlineSpentError("no time was left to look for the request") from err


async def attest(case: Case, reply: ensemble_pb2.AskResponse, *, ledger: Ledger) -> None:
    """Put into a reply its record as it was signed, if there is one.

    Raises
    ------
    DeadlineSpentError
        If it is not on disk in time.
    """
    try:
        async with asyncio.timeout(case.deadline.left_s):
            attestation = await ledger.attestation(case.request_id)
    except TimeoutError as err:
        raise DeadlineSpentError("no time was left to sign the reply") from err
    if attestation is not None:
        reply.attestation.CopyFrom(attestation)


def _hold(case: Case, record: Record, accounts: Accounts) -> Hold:
    """Reserve the most that the request may spend of what it shares with others."""
    if not accounts.cover(ensemble=case.name, caller=case.caller):
        return NO_HOLD
    possible_usd, own_usd = estimates.possible_usd(case), record.lease.cost_usd
    hold = accounts.hold(
        ensemble=case.name,
        caller=case.caller,
        most_usd=possible_usd if own_usd is None else min(possible_usd, own_usd),
        free=estimates.has_free_juror(case),
        now=record.start,
    )
    record.reserved(hold.usd or 0.0)
    return hold


async def _ask(
    case: Case, record: Record, hold: Hold, *, mesh: Mesh, ledger: Ledger
) -> ensemble_pb2.AskResponse:
    begun_before = await _begin(case, record, ledger)
    if begun_before is not None:
        return begun_before

    record.began()
    try:
        ending = await _affordable(case, hold, mesh=mesh, record=record)
    except (Exception, asyncio.CancelledError) as err:
        await _fail(case, record, err, ledger)
        raise

    reply = record.completed(ending)
    reply.ledger_mode = ledger.mode
    await _finish(case, reply, ledger)
    return reply


async def _affordable(case: Case, hold: Hold, *, mesh: Mesh, record: Record) -> Ending:
    """The ending; where others left too little to reach one, the error names that budget."""
    try:
        return await _ending(case, mesh=mesh, record=record)
    except (BudgetSpentError, NoEligibleTierError) as err:
        shortage = hold.shortage(datetime.now(UTC))
        if shortage is None:
            raise
        raise shortage from err


async def _ending(case: Case, *, mesh: Mesh, record: Record) -> Ending:
    match case.ensemble:
        case RouteEnsemble():
            return await route(case, mesh=mesh, record=record)
        case CascadeEnsemble(accept_at=accept_at):
            return await cascade(case, accept_at=accept_at, mesh=mesh, record=record)
        case JuryEnsemble():
            return await jury(case, mesh=mesh, record=record)
        case SpecialistsEnsemble() as graph:
            return await specialists(case, graph, mesh=mesh, record=record, nested=_ending)


async def _begin(case: Case, record: Record, ledger: Ledger) -> ensemble_pb2.AskResponse | None:
    try:
        async with asyncio.timeout(case.deadline.remaining()):
            return await ledger.begin(record.manifest, fingerprint=fingerprint(case.asked))
    except TimeoutError as err:
        raise DeadlineSpentError("no time was left to record the request") from err


async def _finish(case: Case, reply: ensemble_pb2.AskResponse, ledger: Ledger) -> None:
    """Nobody may see a reply that is not recorded; a late one is recorded for the next call."""
    try:
        async with asyncio.timeout(case.deadline.left_s):
            await ledger.finish(reply, case.asked.prompt)
    except TimeoutError as err:
        raise DeadlineSpentError("no time was left to record the reply") from err


async def _fail(case: Case, record: Record, error: BaseException, ledger: Ledger) -> None:
    """Keep what is known of a failure; failing at that too must not hide the first."""
    try:
        async with asyncio.timeout(LAST_WRITE_S):
            await ledger.fail(record.failed(error), case.asked.prompt)
    except (LedgerError, TimeoutError) as err:
        logger.warning("the failure of request %s is not on disk yet: %s", case.request_id, err)
    except Exception:
        logger.exception("the failure of a request was not recorded")


def fingerprint(asked: ensemble_pb2.AskRequest) -> str:
    """Digest of a request's body: the same for every retry, whatever its request_id."""
    body = ensemble_pb2.AskRequest()
    body.CopyFrom(asked)
    body.ClearField("request_id")
    return hashlib.sha256(body.SerializeToString(deterministic=True)).hexdigest()
