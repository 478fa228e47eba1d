"""What callers and manifests are told of an error. No I/O."""

import asyncio
from typing import Final

import grpc

from gremium.v1 import manifest_pb2
from services.core.errors import (
    CancelledRequestError,
    DeadlineSpentError,
    GremiumError,
    InternalError,
    InvalidRequestError,
    OverloadedError,
    PeerError,
    StageFailedError,
    StageLostError,
)
from services.runtime.status import MAX_VALUE_BYTES, MAX_VALUES, shortened, status_of

LOST: Final = (PeerError, StageLostError, DeadlineSpentError, InternalError, StageFailedError)
"""How a stage fails that is down, frozen or broken. What it says on purpose is no such failure."""

ASKS_MODELS: Final = frozenset({"jury", "judge"})


def stage_error(
    error: GremiumError, *, stage: str, given_s: float, allowed_s: float, models_asked: bool
) -> GremiumError:
    """A stage's error as its caller is told: which stage it was, and whether a retry is free.

    A service that is not there makes the whole call worth a retry only as long
    as no model was asked.
    """
    match error:
        case DeadlineSpentError() if given_s > 0.0:
            told: GremiumError = DeadlineSpentError(
                f"{stage} did not answer within {given_s:.1f} s of the {allowed_s:.1f} s"
            )
        case DeadlineSpentError():
            told = DeadlineSpentError(f"no time was left for the {stage}")
        case PeerError() | OverloadedError() if models_asked:
            text = f"{stage} took no call after models had been asked: {error}"
            told = StageFailedError(text, cause=error.reason)
        case StageLostError():
            told = error
            asked = models_asked or stage in ASKS_MODELS
            told.metadata["models_asked"] = str(asked).lower()
        case _:
            told = error
    told.metadata["stage"] = stage
    return told


def how_it_ended(part: manifest_pb2.Participation) -> str:
    """A participant and how it ended, by its code: what a provider says is not passed on."""
    status = manifest_pb2.ParticipationStatus.Name(part.status)[len("PARTICIPATION_STATUS_") :]
    why = f" ({part.reason})" if part.reason not in {"", status} else ""
    return f"{part.name} {status.lower().replace('_', ' ')}{why}"


def no_verdict(error: GremiumError, *, juror: str, tier: str) -> manifest_pb2.Verdict:
    """What is told of a juror's answer when the judge was lost."""
    return manifest_pb2.Verdict(
        kind=manifest_pb2.VERDICT_KIND_UNJUDGED,
        juror=juror,
        tier=tier,
        unjudged_reason=error.reason,
        reason_text=str(error),
    )


def error_record(error: BaseException) -> manifest_pb2.ErrorRecord:
    """An error as recorded. One that nobody foresaw keeps its text to itself."""
    match error:
        case GremiumError():
            return _foreseen(error)
        case asyncio.CancelledError():
            reason = CancelledRequestError.reason
            return manifest_pb2.ErrorRecord(
                code=grpc.StatusCode.CANCELLED.name, reason=reason, message="the caller gave up"
            )
        case _:
            return _foreseen(InternalError("internal error"))


def _foreseen(error: GremiumError) -> manifest_pb2.ErrorRecord:
    violations = error.violations if isinstance(error, InvalidRequestError) else ()
    kept = list(error.metadata.items())[:MAX_VALUES]
    return manifest_pb2.ErrorRecord(
        code=status_of(error).name,
        reason=error.reason,
        message=str(error),
        metadata={key: shortened(value, MAX_VALUE_BYTES) for key, value in kept},
        violations=[
            manifest_pb2.FieldViolation(field=field, description=text) for field, text in violations
        ],
    )
