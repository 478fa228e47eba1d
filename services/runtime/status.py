"""Errors to gRPC status and back: the one table, and the only way out of a service."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from services.core import errors
from services.runtime.wire import duration_from_wire, duration_to_wire

DOMAIN: Final = "gremium.v1"
DETAILS_KEY: Final = "grpc-status-details-bin"

TAKEN: Final = (("gremium-taken", "1"),)
"""Sent before a handler begins. A call that got headers is never sent again by
gRPC, so that a connection that breaks does not run and bill a jury twice."""

MAX_MESSAGE_BYTES: Final = 512
"""Written twice into the trailers, once with three bytes for each that is not ASCII."""
MAX_DETAILS_BYTES: Final = 4096
MAX_VALUE_BYTES: Final = 256
MAX_VALUES: Final = 12
MAX_VIOLATIONS: Final = 8

STATUS_BY_ERROR: Final[dict[type[errors.GremiumError], grpc.StatusCode]] = {
    errors.InvalidRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.DeadlineMissingError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.UnknownEnsembleError: grpc.StatusCode.NOT_FOUND,
    errors.UnknownModelError: grpc.StatusCode.NOT_FOUND,
    errors.UnknownRequestError: grpc.StatusCode.NOT_FOUND,
    errors.NoEligibleTierError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.InvalidPlanError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.RequestIdReusedError: grpc.StatusCode.ALREADY_EXISTS,
    errors.ReplyExpiredError: grpc.StatusCode.ALREADY_EXISTS,
    errors.RequestInProgressError: grpc.StatusCode.ABORTED,
    errors.InterruptedRequestError: grpc.StatusCode.ABORTED,
    errors.CancelledRequestError: grpc.StatusCode.CANCELLED,
    errors.LedgerError: grpc.StatusCode.ABORTED,
    errors.QuorumNotReachedError: grpc.StatusCode.ABORTED,  # UNAVAILABLE would be retried and billed again
    errors.StageFailedError: grpc.StatusCode.ABORTED,
    errors.BackendError: grpc.StatusCode.ABORTED,
    errors.DeadlineSpentError: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.BudgetSpentError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.OverloadedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.PeerError: grpc.StatusCode.UNAVAILABLE,
    errors.StageLostError: grpc.StatusCode.UNAVAILABLE,  # not retried: its headers came before
    errors.InternalError: grpc.StatusCode.INTERNAL,
}
"""Add every new error here; a contract test compares."""

RETRY_AFTER_S: Final[dict[type[errors.GremiumError], float]] = {
    errors.RequestInProgressError: 1.0,
    errors.OverloadedError: 0.5,
    errors.PeerError: 1.0,
}
"""Errors after which the same call may do better, and when."""

BROKEN_OFF: Final = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN}
)
"""How a call ends whose connection broke."""

ERROR_BY_REASON: Final = {error.reason: error for error in STATUS_BY_ERROR}

Abort = tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]
"""Code, message and trailing metadata for `context.abort`."""


def abort_arguments(err: errors.GremiumError) -> Abort:
    """What the caller sees of an error."""
    return _abort(status_of(err), str(err), _details(err))


def unimplemented_arguments(method: str) -> Abort:
    """What the caller sees of a method that is not there yet."""
    info = error_details_pb2.ErrorInfo(reason="UNIMPLEMENTED", domain=DOMAIN)
    text = f"{method.lstrip('/')} is not implemented yet"
    return _abort(grpc.StatusCode.UNIMPLEMENTED, text, [info])


def status_of(err: errors.GremiumError) -> grpc.StatusCode:
    """The status of an error, or of what it derives from."""
    known = (STATUS_BY_ERROR[kind] for kind in type(err).__mro__ if kind in STATUS_BY_ERROR)
    return next(known, grpc.StatusCode.INTERNAL)


def _abort(code: grpc.StatusCode, text: str, details: Iterable[Message]) -> Abort:
    message = shortened(text, MAX_MESSAGE_BYTES)
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)
    return code, message, ((DETAILS_KEY, _within_limit(status).SerializeToString()),)


def _within_limit(status: status_pb2.Status) -> status_pb2.Status:
    """Drop trailing details until the rest fits: larger trailers replace the error itself."""
    while status.ByteSize() > MAX_DETAILS_BYTES:
        del status.details[-1]
    return status


def _details(err: errors.GremiumError) -> Iterator[Message]:
    """The most important first; one of them always fits."""
    kept = list(err.metadata.items())[:MAX_VALUES]
    yield error_details_pb2.ErrorInfo(
        reason=err.reason,
        domain=DOMAIN,
        metadata={shortened(k, 64): shortened(v, MAX_VALUE_BYTES) for k, v in kept},
    )
    retry_after_s = getattr(err, "retry_after_s", None) or RETRY_AFTER_S.get(type(err))
    if retry_after_s is not None and "replayed" not in err.metadata:
        yield error_details_pb2.RetryInfo(retry_delay=duration_to_wire(retry_after_s))
    if isinstance(err, errors.InvalidRequestError) and err.violations:
        yield _bad_request(err.violations)


def _bad_request(violations: tuple[tuple[str, str], ...]) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=shortened(field, MAX_VALUE_BYTES),
                description=shortened(text, MAX_VALUE_BYTES),
            )
            for field, text in violations[:MAX_VIOLATIONS]
        ]
    )


def shortened(text: str, limit: int) -> str:
    """The text, cut at `limit` bytes of UTF-8."""
    data = text.encode(errors="replace")
    return text if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"


def error_from_rpc(err: grpc.aio.AioRpcError) -> errors.GremiumError:
    """The error that the callee raised, with its type, message and metadata."""
    told = _Told.by(err)
    kind = ERROR_BY_REASON.get(told.info.reason) if told.info.domain == DOMAIN else None
    if kind is None:
        return _untold(err)
    message, metadata = err.details() or told.info.reason, dict(told.info.metadata)
    if kind is errors.InvalidRequestError:
        rebuilt: errors.GremiumError = errors.InvalidRequestError(
            message, violations=told.violations
        )
    elif kind is errors.BackendError:
        cause = metadata.get("cause", kind.reason)
        rebuilt = errors.BackendError(message, cause=cause, retry_after_s=told.retry_after_s)
    else:
        rebuilt = kind(message)
    rebuilt.metadata = metadata
    return rebuilt


def _untold(err: grpc.aio.AioRpcError) -> errors.GremiumError:
    """What a bare status means: gRPC itself sends it, not one of our handlers."""
    text = shortened(err.details() or err.code().name, MAX_VALUE_BYTES)
    match err.code():
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return errors.DeadlineSpentError("the deadline passed before the service answered")
        case code if _was_taken(err):
            return _ended_badly(code, text)
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
            return errors.PeerError(f"service is unavailable: {text}")
        case grpc.StatusCode.RESOURCE_EXHAUSTED if "larger than max" in text:
            return errors.InvalidRequestError(f"message is too large: {text}")
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return errors.OverloadedError(f"service refused the call: {text}")
        case code:
            return errors.InternalError(f"service failed with {code.name}")


def _ended_badly(code: grpc.StatusCode, text: str) -> errors.GremiumError:
    """A call that a service took, and that gRPC itself ended."""
    if code in BROKEN_OFF:
        return errors.StageLostError(f"service took the call and broke off: {text}")
    return errors.InternalError(f"service took the call and failed: {text}")


def _was_taken(err: grpc.aio.AioRpcError) -> bool:
    return any(pair in TAKEN for pair in err.initial_metadata() or ())


@dataclass(frozen=True, slots=True)
class _Told:
    """What a callee's trailers say of its error."""

    info: error_details_pb2.ErrorInfo
    retry_after_s: float | None
    violations: tuple[tuple[str, str], ...]

    @classmethod
    def by(cls, err: grpc.aio.AioRpcError) -> Self:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        for detail in _status(err).details:
            for kind in (info, bad, retry):
                if detail.Is(kind.DESCRIPTOR):
                    detail.Unpack(kind)
        retry_after_s = (
            duration_from_wire(retry.retry_delay) if retry.HasField("retry_delay") else None
        )
        return cls(
            info, retry_after_s, tuple((v.field, v.description) for v in bad.field_violations)
        )


def _status(err: grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in err.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()
