"""What failed by what passes, before any model was asked, may be asked anew; its failure stays told."""

import asyncio

import pytest

from gremium.v1 import manifest_pb2
from gremium.v1.manifest_pb2 import Manifest
from services.core import errors
from services.ledger.chain import records
from services.ledger.reading import reading
from tests.unit.ledger.entries import ended, failed, intent


def jury_part(reason):
    return manifest_pb2.Participation(stage=manifest_pb2.STAGE_JURY, reason=reason)


ROUTER_PART = manifest_pb2.Participation(stage=manifest_pb2.STAGE_ROUTER, reason="PEER_UNAVAILABLE")


@pytest.mark.parametrize(
    ("reason", "parts"),
    [
        ("PEER_UNAVAILABLE", [ROUTER_PART]),
        ("OVERLOADED", []),
        ("DEADLINE_SPENT", []),
        ("CANCELLED", []),
        pytest.param("PEER_UNAVAILABLE", [jury_part("PEER_UNAVAILABLE")], id="jury was down"),
        pytest.param("OVERLOADED", [jury_part("OVERLOADED")], id="jury was full"),
    ],
)
async def test_what_failed_before_any_model_was_asked_starts_anew(ledger, reason, parts):
    down = failed(intent(), reason=reason, parts=parts, model_calls=0)
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(down)
    assert down == await ledger.manifest("r1")

    assert await ledger.begin(intent(second=9), fingerprint="f") is None

    assert intent(second=9) == await ledger.manifest("r1")
    reply = ended(intent(second=9))
    await ledger.finish(reply)
    again = await ledger.begin(intent(), fingerprint="f")
    assert (reply.answer, True) == (again.answer, again.replayed)


@pytest.mark.parametrize(
    ("reason", "parts", "model_calls"),
    [
        pytest.param("PEER_UNAVAILABLE", [], 1, id="spent"),
        pytest.param("DEADLINE_SPENT", [jury_part("DEADLINE_SPENT")], 0, id="jury was asked"),
        pytest.param("CANCELLED", [], 3, id="left"),
        pytest.param("INTERRUPTED", [], 0, id="nobody knows"),
        pytest.param("STAGE_FAILED", [], 3, id="stage"),
        pytest.param("NO_ELIGIBLE_TIER", [], 0, id="would fail again"),
    ],
)
async def test_what_may_have_spent_or_cannot_change_is_told_again(
    ledger, reason, parts, model_calls
):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(failed(intent(), reason=reason, parts=parts, model_calls=model_calls))

    with pytest.raises(errors.GremiumError) as caught:
        await ledger.begin(intent(), fingerprint="f")

    assert (reason, "true") == (caught.value.reason, caught.value.metadata["replayed"])


async def test_a_request_starts_anew_only_with_its_own_body(ledger):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(failed(intent(), reason="PEER_UNAVAILABLE", model_calls=0))

    with pytest.raises(errors.RequestIdReusedError):
        await ledger.begin(intent(), fingerprint="other")


async def test_feedback_survives_a_new_start(ledger):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(failed(intent(), reason="PEER_UNAVAILABLE", model_calls=0))
    given = await ledger.add_feedback("r1", manifest_pb2.Feedback(score=0.0))
    await ledger.begin(intent(), fingerprint="f")

    assert [given] == (await ledger.manifest("r1")).feedback


async def test_each_failure_of_a_request_that_starts_anew_has_a_record(ledger, path):
    for _ in range(2):
        await ledger.begin(intent(), fingerprint="f")
        await ledger.fail(failed(intent(), reason="PEER_UNAVAILABLE", model_calls=0))
    await ledger.begin(intent(), fingerprint="f")
    await ledger.finish(ended(intent()))

    with reading(path) as connection:
        states = [Manifest.FromString(record.payload).state for record in records(connection)]
    assert ["FAILED", "FAILED", "COMPLETED"] == [
        manifest_pb2.ManifestState.Name(state).removeprefix("MANIFEST_STATE_") for state in states
    ]


async def test_a_new_start_that_is_withdrawn_leaves_the_failure(ledger):
    down = failed(intent(), reason="PEER_UNAVAILABLE", model_calls=0)
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(down)
    begin = asyncio.create_task(ledger.begin(intent(second=9), fingerprint="f"))
    await asyncio.sleep(0)
    ledger._writer.submit(lambda _: None).result(5)
    begin.cancel()
    await asyncio.wait([begin])
    ledger._writer.submit(lambda _: None).result(5)  # behind the withdrawal

    assert down == await ledger.manifest("r1")
    assert await ledger.begin(intent(second=9), fingerprint="f") is None
