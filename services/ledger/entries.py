"""Manifests as rows, and rows as what their request ended with. No I/O."""

from dataclasses import dataclass
from typing import Final

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.manifest_pb2 import (
    MANIFEST_STATE_COMPLETED,
    MANIFEST_STATE_FAILED,
    MANIFEST_STATE_IN_PROGRESS,
    STAGE_JURY,
    ErrorRecord,
    Manifest,
    ManifestState,
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
    """One row: the columns that are searched, and the messages.

    Serialised messages merge by concatenation: `manifest` and `answers`
    together are the whole manifest, and a list never reads the large one.
    """

    request_id: str
    ensemble: str
    state: int
    outcome: int
    start_ns: int
    cost_micro_usd: int
    caller: str
    charged_usd: float
    """What it counts for in budgets over time: the most it may spend until it has ended."""
    manifest: bytes
    """The manifest without answers and feedback."""
    answers: bytes
    """A manifest that has nothing but the answers."""
    reply: bytes | None
    """The reply without its manifest; None unless completed."""


def begun(manifest: Manifest) -> Entry:
    return _entry(manifest, MANIFEST_STATE_IN_PROGRESS, charged_usd=manifest.reserved_usd)


def completed(reply: AskResponse) -> Entry:
    rest = AskResponse()
    rest.CopyFrom(reply)
    rest.ClearField("manifest")
    told = reply.manifest
    return _entry(
        told,
        MANIFEST_STATE_COMPLETED,
        charged_usd=told.cost_usd,
        reply=rest.SerializeToString(),
    )


def failed(manifest: Manifest) -> Entry:
    return _entry(manifest, MANIFEST_STATE_FAILED, charged_usd=manifest.cost_usd)


def interrupted(manifest: bytes) -> Entry:
    """The end of an intent whose process is dead: it may have spent all that it had reserved."""
    left = Manifest.FromString(manifest)
    left.error.CopyFrom(INTERRUPTED)
    return _entry(left, MANIFEST_STATE_FAILED, charged_usd=left.reserved_usd)


def _entry(
    manifest: Manifest,
    state: ManifestState.ValueType,
    *,
    charged_usd: float,
    reply: bytes | None = None,
) -> Entry:
    summary = Manifest()
    summary.CopyFrom(manifest)
    summary.ClearField("answers")
    summary.ClearField("feedback")
    summary.state = state
    return Entry(
        request_id=summary.request_id,
        ensemble=summary.ensemble,
        state=state,
        outcome=summary.outcome,
        start_ns=summary.start_time.ToNanoseconds(),
        cost_micro_usd=micro_usd(summary.cost_usd),
        caller=summary.caller,
        charged_usd=_finite_usd(charged_usd),
        manifest=summary.SerializeToString(),
        answers=Manifest(answers=manifest.answers).SerializeToString(),
        reply=reply,
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


def starts_anew(asked: str, *, fingerprint: str, state: int, manifest: bytes) -> bool:
    """Whether a recorded request failed by what passes, before any model could be asked.

    Such a one is asked again under its request_id: there is nothing to tell
    again, and nothing was spent. An interrupted one may have spent.
    """
    if asked != fingerprint or state != MANIFEST_STATE_FAILED:
        return False
    left = Manifest.FromString(manifest)
    jury_asked = any(
        part.stage == STAGE_JURY and part.reason not in NOT_TAKEN for part in left.participations
    )
    passing = left.error.reason in PASSING or "period_ends" in left.error.metadata
    return passing and left.model_calls == 0 and not jury_asked


def replayed(
    request_id: str,
    asked: str,
    *,
    fingerprint: str,
    state: int,
    manifest: bytes,
    answers: bytes,
    reply: bytes | None,
) -> AskResponse:
    """What a recorded request ended with, for a caller who asks it again as `asked`.

    Raises
    ------
    GremiumError
        If it still runs, had another fingerprint, or failed.
    """
    if asked != fingerprint:
        raise RequestIdReusedError(f"request_id {request_id} was used with another body")
    if state == MANIFEST_STATE_IN_PROGRESS:
        raise RequestInProgressError(f"the first call with request_id {request_id} still runs")
    whole = Manifest.FromString(manifest + answers)
    if state == MANIFEST_STATE_FAILED:
        raise _error(request_id, whole.error)
    again = AskResponse.FromString(reply or b"")
    again.manifest.CopyFrom(whole)
    again.replayed = True
    return again


def _error(request_id: str, record: ErrorRecord) -> GremiumError:
    known = status.ERROR_BY_REASON.get(record.reason, InternalError)
    told = known(record.message)
    if isinstance(told, InvalidRequestError):
        told.violations = tuple((v.field, v.description) for v in record.violations)
    told.metadata = {**record.metadata, "request_id": request_id, "replayed": "true"}
    return told
