"""What a manifest says of an error. No I/O."""

import asyncio

import grpc

from gremium.v1 import manifest_pb2
from services.core.errors import GremiumError, InternalError
from services.runtime.status import STATUS_BY_ERROR


def error_record(error: BaseException) -> manifest_pb2.ErrorRecord:
    """An error as recorded. One that nobody foresaw keeps its text to itself."""
    match error:
        case GremiumError():
            code = STATUS_BY_ERROR.get(type(error), grpc.StatusCode.INTERNAL)
            reason, message = error.reason, str(error)
        case asyncio.CancelledError():
            code = grpc.StatusCode.CANCELLED
            reason, message = "CANCELLED", "the caller gave up"
        case _:
            code = grpc.StatusCode.INTERNAL
            reason, message = InternalError.reason, "internal error"
    return manifest_pb2.ErrorRecord(code=code.name, reason=reason, message=message)
