"""Manifests as rows, and rows as what their request ended with. No I/O."""

from dataclasses import dataclass, replace
from typing import Final

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.manifest_pb2 import (
    MANIFEST_STATE_COMPLETED,
    MANIFEST_STATE_FAILED,
    MANIFEST_STATE_IN_PROGRESS,
    STAGE_JURY,
    ErrorRecord,
    Manifest,
)
from services.core.errors import (
    CancelledRequestError,
    DeadlineSpentError,
    GremiumError,
    InternalError,
    InterruptedRequestError,
    InvalidRequestError,
    OverloadedError,
    PeerError,
    ReplyExpiredError,
    RequestIdReusedError,
    RequestInProgressError,
)
from services.runtime import status

INTERRUPTED: Final = ErrorRecord(
    code="ABORTED",
    reason=InterruptedRequestError.reason,
    message="the gateway stopped before the request ended; models may have been asked",
)
NOT_TAKEN: Final = frozenset({PeerError.reason, OverloadedError.reason})
"""A stage that failed so never had the call."""
PASSING: Final = NOT_TAKEN | {DeadlineSpentError.reason, CancelledRequestError.reason}
"""What may be over when the same request comes again."""
MOST_MICRO_USD: Final = 2**62
"""A sum that no ensemble spends, and that the column holds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The columns of one row that are searched."""

    request_id: str
    ensemble: str
    state: int
    outcome: int
    start_ns: int
    cost_micro_usd: int
    caller: str
    charged_usd: float
    """What it counts for in budgets over time: the most it may spend until it has ended."""


def begun(manifest: Manifest) -> Entry:
    entry = _entry(manifest, charged_usd=manifest.reserved_usd)
    return replace(entry, state=MANIFEST_STATE_IN_PROGRESS)


def ended(manifest: Manifest) -> Entry:
    return _entry(manifest, charged_usd=manifest.cost_usd)


def interrupted(manifest: Manifest) -> Entry:
    """The end of an intent whose process is dead: it may have spent all that it had reserved."""
    manifest.error.CopyFrom(INTERRUPTED)
    manifest.state = MANIFEST_STATE_FAILED
    return _entry(manifest, charged_usd=max(manifest.reserved_usd, manifest.cost_usd))


def _entry(manifest: Manifest, *, charged_usd: float) -> Entry:
    return Entry(
        request_id=manifest.request_id,
        ensemble=manifest.ensemble,
        state=manifest.state,
        outcome=manifest.outcome,
        start_ns=manifest.start_time.ToNanoseconds(),
        cost_micro_usd=micro_usd(manifest.cost_usd),
        caller=manifest.caller,
        charged_usd=_finite_usd(charged_usd),
    )


def micro_usd(cost_usd: float) -> int:
    """A cost as the column keeps it, in [0, 2^62] whatever a provider said it was.

    Examples
    --------
    >>> micro_usd(0.25), micro_usd(float("inf")) == MOST_MICRO_USD, micro_usd(float("nan"))
    (250000, True, 0)
    """
    return round(min(cost_usd * 1e6, float(MOST_MICRO_USD))) if cost_usd > 0.0 else 0


def _finite_usd(usd: float) -> float:
    """A charge that the column holds: SQLite keeps no NaN."""
    return min(usd, MOST_MICRO_USD / 1e6) if usd > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the ledger has of a request that was asked before."""

    request_id: str
    fingerprint: str
    """Of its body."""
    state: int
    record: bytes | None
    """Its manifest as recorded; None while it runs, and if retention removed it."""
    reply: bytes | None
    """Its reply, of one that failed with nothing but the manifest; None: no longer kept."""


def replayed(earlier: Earlier, *, fingerprint: str) -> AskResponse | None:
    """What an earlier request ended with, for a caller who asks it again; None: it starts anew.

    Raises
    ------
    GremiumError
        If it still runs, had another fingerprint, failed, or ended too long ago.
    """
    if earlier.fingerprint != fingerprint:
        text = f"request_id {earlier.request_id} was used with another body"
        raise RequestIdReusedError(text)
    if earlier.state == MANIFEST_STATE_IN_PROGRESS:
        text = f"the first call with request_id {earlier.request_id} still runs"
        raise RequestInProgressError(text)
    if earlier.state == MANIFEST_STATE_COMPLETED and earlier.reply is not None:
        again = AskResponse.FromString(earlier.reply)
        again.replayed = True
        return again
    if earlier.state == MANIFEST_STATE_FAILED and (left := _left(earlier)):
        if starts_anew(left):
            return None
        raise _error(earlier.request_id, left.error)
    raise ReplyExpiredError(f"the reply of request {earlier.request_id} is no longer kept")


def _left(failed: Earlier) -> Manifest | None:
    """What is known of a request that failed."""
    if failed.reply is not None:
        return AskResponse.FromString(failed.reply).manifest
    return None if failed.record is None else Manifest.FromString(failed.record)


def starts_anew(left: Manifest) -> bool:
    """Whether a request failed by what passes, before any model could be asked.

    Such a one is asked again under its request_id: there is nothing to tell
    again, and nothing was spent. An interrupted one may have spent.
    """
    jury_asked = any(
        part.stage == STAGE_JURY and part.reason not in NOT_TAKEN for part in left.participations
    )
    passing = left.error.reason in PASSING or "period_ends" in left.error.metadata
    return passing and left.model_calls == 0 and not jury_asked


def _error(request_id: str, record: ErrorRecord) -> GremiumError:
    known = status.ERROR_BY_REASON.get(record.reason, InternalError)
    told = known(record.message or "the request failed; the ledger keeps no words of it")
    if isinstance(told, InvalidRequestError):
        told.violations = tuple((v.field, v.description) for v in record.violations)
    told.metadata = {**record.metadata, "request_id": request_id, "replayed": "true"}
    return told
