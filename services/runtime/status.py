"""Errors to gRPC status and back: the one table, and the only way out of a service."""

from collections.abc import Iterator
from typing import Any, Final

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from services.core import errors

DOMAIN: Final = "gremium.v1"
DETAILS_KEY: Final = "grpc-status-details-bin"
MAX_MESSAGE_BYTES: Final = 1024
MAX_DETAILS_BYTES: Final = 4096
MAX_VALUE_BYTES: Final = 256
MAX_VIOLATIONS: Final = 8

STATUS_BY_ERROR: Final[dict[type[errors.GremiumError], grpc.StatusCode]] = {
    errors.InvalidRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.DeadlineMissingError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.UnknownEnsembleError: grpc.StatusCode.NOT_FOUND,
    errors.UnknownModelError: grpc.StatusCode.NOT_FOUND,
    errors.UnknownRequestError: grpc.StatusCode.NOT_FOUND,
    errors.NoEligibleTierError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.RequestIdReusedError: grpc.StatusCode.ALREADY_EXISTS,
    errors.RequestInProgressError: grpc.StatusCode.ABORTED,
    errors.InterruptedRequestError: grpc.StatusCode.ABORTED,
    errors.LedgerError: grpc.StatusCode.ABORTED,
    errors.QuorumNotReachedError: grpc.StatusCode.ABORTED,  # UNAVAILABLE would be retried and billed again
    errors.BackendError: grpc.StatusCode.ABORTED,
    errors.DeadlineSpentError: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.BudgetSpentError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.OverloadedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.PeerError: grpc.StatusCode.UNAVAILABLE,
    errors.InternalError: grpc.StatusCode.INTERNAL,
}
"""Add every new error here; a contract test compares."""

RETRY_AFTER_S: Final[dict[type[errors.GremiumError], float]] = {
    errors.RequestInProgressError: 1.0,
    errors.OverloadedError: 0.5,
    errors.PeerError: 1.0,
}
"""Errors after which the same call may do better, and when."""

ERROR_BY_REASON: Final = {error.reason: error for error in STATUS_BY_ERROR}


def abort_arguments(err: errors.GremiumError) -> tuple[grpc.StatusCode, str, Any]:
    """Code, message and trailing metadata for `context.abort`."""
    code = STATUS_BY_ERROR[type(err)]
    message = shortened(str(err), MAX_MESSAGE_BYTES)
    status = status_pb2.Status(code=code.value[0], message=message, details=_details(err))
    return code, message, ((DETAILS_KEY, _within_limit(status).SerializeToString()),)


def _within_limit(status: status_pb2.Status) -> status_pb2.Status:
    """Drop trailing details until the rest fits: larger trailers replace the error itself."""
    while status.ByteSize() > MAX_DETAILS_BYTES and len(status.details) > 1:
        del status.details[-1]
    if status.ByteSize() > MAX_DETAILS_BYTES:
        del status.details[:]
    return status


def _details(err: errors.GremiumError) -> Iterator[any_pb2.Any]:
    metadata = {key: shortened(value, MAX_VALUE_BYTES) for key, value in err.metadata.items()}
    yield _packed(error_details_pb2.ErrorInfo(reason=err.reason, domain=DOMAIN, metadata=metadata))
    if type(err) in RETRY_AFTER_S:
        delay = Duration(nanos=round(RETRY_AFTER_S[type(err)] * 1e9) % 10**9)
        delay.seconds = int(RETRY_AFTER_S[type(err)])
        yield _packed(error_details_pb2.RetryInfo(retry_delay=delay))
    if isinstance(err, errors.InvalidRequestError) and err.violations:
        yield _packed(_bad_request(err.violations))


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


def _packed(detail: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def shortened(text: str, limit: int) -> str:
    """The text, cut at `limit` bytes of UTF-8."""
    data = text.encode(errors="replace")
    return text if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"


def error_from_rpc(err: grpc.aio.AioRpcError) -> errors.GremiumError:
    """The error that the callee raised, with its type, message and metadata."""
    info, violations = _told(err)
    error = ERROR_BY_REASON.get(info.reason) if info.domain == DOMAIN else None
    if error is None:
        return _untold(err)
    message = err.details() or info.reason
    if error is errors.InvalidRequestError:
        return errors.InvalidRequestError(message, violations=violations, **info.metadata)
    metadata = dict(info.metadata)
    return error(message, **metadata)


def _untold(err: grpc.aio.AioRpcError) -> errors.GremiumError:
    """What a bare status means: who sends one is not one of our handlers."""
    match err.code():
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return errors.DeadlineSpentError("the deadline passed before the service answered")
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
            return errors.PeerError(f"service is unavailable: {_text(err)}")
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return errors.OverloadedError(f"service refused the call: {_text(err)}")
        case code:
            return errors.InternalError(f"service failed with {code.name}")


def _text(err: grpc.aio.AioRpcError) -> str:
    return shortened(err.details() or err.code().name, MAX_VALUE_BYTES)


def _told(
    err: grpc.aio.AioRpcError,
) -> tuple[error_details_pb2.ErrorInfo, tuple[tuple[str, str], ...]]:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in _status(err).details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            detail.Unpack(bad)
    return info, tuple((v.field, v.description) for v in bad.field_violations)


def _status(err: grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in err.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()
