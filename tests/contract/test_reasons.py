"""The comment of Ask names every reason that it can give, under the status that it comes with."""

import re
from pathlib import Path

import pytest
from google.rpc import error_details_pb2, status_pb2

from services.core import errors
from services.runtime.status import RETRY_AFTER_S, STATUS_BY_ERROR, abort_arguments

PROTO = Path(__file__).parents[2] / "protos/gremium/v1/ensemble.proto"
NEVER_BY_ASK = {
    errors.UnknownRequestError,  # Ask makes its request
    errors.BackendError,  # a model that fails is a participation
}


def comment_of_ask() -> str:
    before, _, _ = PROTO.read_text().partition("  rpc Ask(")
    return re.sub(r"\s+//\s*", " ", before[before.index("// Answers a prompt") :])


def listed() -> set[tuple[str, str]]:
    """Pairs of status and reason in the list behind `Fails with`."""
    _, _, told = comment_of_ask().partition("Fails with")
    items = re.findall(r"`([A-Z_]+)` \(([^)]*)\)", told)
    return {(code, reason) for code, text in items for reason in re.findall(r"`([A-Z_]+)`", text)}


def test_ask_lists_every_reason_it_can_give_and_no_other():
    given = STATUS_BY_ERROR.items()
    expected = {(code.name, e.reason) for e, code in given if e not in NEVER_BY_ASK}

    assert expected == listed()


def has_retry_info(err: errors.GremiumError) -> bool:
    _, _, ((_, trailer),) = abort_arguments(err)
    details = status_pb2.Status.FromString(trailer).details
    return any(detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for detail in details)


@pytest.mark.parametrize("kind", sorted(RETRY_AFTER_S, key=lambda e: e.__name__))
def test_only_a_first_failure_says_when_to_retry(kind):
    assert has_retry_info(kind("down"))
    assert not has_retry_info(kind("down", replayed="true"))


def test_what_failed_after_models_were_asked_does_not_say_when_to_retry():
    assert not has_retry_info(errors.StageFailedError("down", stage="aggregator"))
