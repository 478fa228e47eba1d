"""The table of errors is total, its reasons are unique, and every error crosses a hop intact."""

import inspect

import grpc
import pytest

from services.core import errors
from services.runtime.status import (
    MAX_DETAILS_BYTES,
    STATUS_BY_ERROR,
    TAKEN,
    abort_arguments,
    error_from_rpc,
    status_of,
)


def deliberate_errors():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    return {c for c in classes if issubclass(c, errors.GremiumError)} - {errors.GremiumError}


def over_a_hop(err):
    code, message, trailers = abort_arguments(err)
    return error_from_rpc(
        grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers), message)
    )


def test_every_error_has_a_status():
    assert deliberate_errors() == STATUS_BY_ERROR.keys()


def test_every_error_has_a_reason_of_its_own():
    reasons = [error.reason for error in STATUS_BY_ERROR]

    assert sorted(set(reasons)) == sorted(reasons)


def test_only_a_peer_that_is_not_there_or_broke_off_is_unavailable():
    unavailable = {e for e, code in STATUS_BY_ERROR.items() if code is grpc.StatusCode.UNAVAILABLE}

    assert {errors.PeerError, errors.StageLostError} == unavailable


@pytest.mark.parametrize("error", sorted(STATUS_BY_ERROR, key=lambda e: e.__name__))
def test_crosses_a_hop_with_type_message_and_metadata(error):
    received = over_a_hop(error("3 of 4 things are wrong", request_id="r1"))

    assert error is type(received)
    assert "3 of 4 things are wrong" == str(received)
    assert "r1" == received.metadata["request_id"]


def test_violations_cross_a_hop():
    sent = errors.InvalidRequestError("bad", violations=(("prompt", "is blank"),))

    assert (("prompt", "is blank"),) == over_a_hop(sent).violations


def test_crosses_ten_hops_without_growing():
    err = errors.BackendError("model said no", cause="HTTP_STATUS")
    for _ in range(10):
        err = over_a_hop(err)

    assert "model said no" == str(err)
    assert {"cause": "HTTP_STATUS"} == err.metadata


def test_details_stay_small_whatever_the_error_holds():
    huge = {f"key{n}": "x" * 10_000 for n in range(50)}
    violations = tuple((f"field{n}" * 100, "y" * 10_000) for n in range(100))
    err = errors.InvalidRequestError("z" * 100_000, violations=violations, **huge)

    _, message, trailers = abort_arguments(err)

    assert len(message.encode()) <= 1024
    assert sum(len(value) for _, value in trailers) <= MAX_DETAILS_BYTES


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.DeadlineSpentError),
        (grpc.StatusCode.UNAVAILABLE, errors.PeerError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.OverloadedError),
        (grpc.StatusCode.UNKNOWN, errors.InternalError),
        (grpc.StatusCode.UNIMPLEMENTED, errors.InternalError),
    ],
)
def test_a_bare_status_becomes_an_error_of_ours(code, expected):
    bare = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "text")

    assert expected is type(error_from_rpc(bare))


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN]
)
def test_a_service_that_took_the_call_and_broke_off_is_not_unavailable(code):
    broken = grpc.aio.AioRpcError(code, grpc.aio.Metadata(*TAKEN), grpc.aio.Metadata(), "reset")

    assert errors.StageLostError is type(error_from_rpc(broken))


def test_a_backends_wish_to_be_left_alone_crosses_a_hop():
    sent = errors.BackendError("slow down", cause="RATE_LIMITED", retry_after_s=2.5)

    assert 2.5 == over_a_hop(sent).retry_after_s


def test_metadata_may_have_any_key():
    sent = errors.UnknownModelError("no such model")
    sent.metadata = {"message": "m", "cause": "c", "self": "s"}

    assert {"message": "m", "cause": "c", "self": "s"} == over_a_hop(sent).metadata


def test_a_kind_of_an_error_has_its_status():
    class OverdrawnError(errors.BudgetSpentError):
        """Another way to have spent too much."""

    assert grpc.StatusCode.RESOURCE_EXHAUSTED is status_of(OverdrawnError("all gone"))


def test_garbage_in_the_trailers_is_no_error_of_its_own():
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff\xff"))
    garbage = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), trailers, "x")

    assert isinstance(error_from_rpc(garbage), errors.PeerError)
