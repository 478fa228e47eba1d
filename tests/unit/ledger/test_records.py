"""A request is recorded before it spends, and asked again it ends the same way."""

import asyncio
import sqlite3
import threading

import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.core import errors
from services.ledger.entries import MOST_MICRO_USD
from services.ledger.sqlite import open_ledger
from tests.unit.ledger.entries import ended, failed, intent, spent


async def test_a_new_request_has_no_reply_yet(ledger):
    assert await ledger.begin(intent(), fingerprint="f") is None


async def test_a_repeated_request_gets_the_recorded_reply(ledger):
    reply = ended(intent())
    await ledger.begin(intent(), fingerprint="f")
    await ledger.finish(reply)

    again = await ledger.begin(intent(second=9), fingerprint="f")

    reply.replayed = True
    assert reply == again


async def test_a_repeated_request_fails_with_the_recorded_error(ledger):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(failed(intent()))

    with pytest.raises(errors.QuorumNotReachedError, match="1 of 2 answered") as caught:
        await ledger.begin(intent(), fingerprint="f")

    assert {"request_id": "r1", "replayed": "true"} == caught.value.metadata


async def test_an_error_of_another_release_is_replayed_as_internal(ledger):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(failed(intent(), reason="OUT_OF_FASHION"))

    with pytest.raises(errors.InternalError):
        await ledger.begin(intent(), fingerprint="f")


async def test_a_repeated_error_keeps_its_metadata(ledger):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(failed(intent(), metadata={"quorum": "2", "answered": "1"}))

    with pytest.raises(errors.QuorumNotReachedError) as caught:
        await ledger.begin(intent(), fingerprint="f")

    told = {"quorum": "2", "answered": "1", "request_id": "r1", "replayed": "true"}
    assert told == caught.value.metadata


async def test_a_repeated_refusal_names_the_same_fields(ledger):
    violation = manifest_pb2.FieldViolation(field="prompt.tools", description="is no schema")
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(failed(intent(), reason="INVALID_REQUEST", violations=[violation]))

    with pytest.raises(errors.InvalidRequestError) as caught:
        await ledger.begin(intent(), fingerprint="f")

    assert (("prompt.tools", "is no schema"),) == caught.value.violations


async def test_what_is_spent_is_told_only_of_a_request_that_runs(ledger):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.finish(ended(intent()))
    ledger.spent(spent(intent()))
    ledger.spent(spent(intent("r2")))
    await ledger.begin(intent("r3"), fingerprint="f")

    assert ended(intent()).manifest == await ledger.manifest("r1")
    with pytest.raises(errors.UnknownRequestError):
        await ledger.manifest("r2")


@pytest.mark.parametrize("kind", errors.GremiumError.__subclasses__(), ids=lambda e: e.reason)
async def test_every_error_is_replayed_as_itself(ledger, kind):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(failed(intent(), reason=kind.reason, message="seen"))

    with pytest.raises(kind, match=r"^seen$"):
        await ledger.begin(intent(), fingerprint="f")


async def test_a_request_that_still_runs_is_not_started_again(ledger):
    await ledger.begin(intent(), fingerprint="f")

    with pytest.raises(errors.RequestInProgressError):
        await ledger.begin(intent(), fingerprint="f")


async def test_only_one_of_simultaneous_calls_begins(ledger):
    calls = [ledger.begin(intent(), fingerprint="f") for _ in range(20)]

    ends = await asyncio.gather(*calls, return_exceptions=True)

    assert 1 == ends.count(None)
    assert 19 == sum(isinstance(end, errors.RequestInProgressError) for end in ends)


@pytest.mark.parametrize("finished", [True, False])
async def test_a_request_id_belongs_to_one_body(ledger, finished):
    await ledger.begin(intent(), fingerprint="f")
    if finished:
        await ledger.finish(ended(intent()))

    with pytest.raises(errors.RequestIdReusedError):
        await ledger.begin(intent(), fingerprint="other")


async def test_a_caller_that_leaves_before_its_turn_leaves_no_intent(ledger):
    release = threading.Event()
    ledger._writer.submit(lambda _: release.wait(5))
    begin = asyncio.create_task(ledger.begin(intent(), fingerprint="f"))
    await asyncio.sleep(0)
    begin.cancel()
    await asyncio.wait([begin])
    await asyncio.sleep(0)
    release.set()

    assert await ledger.begin(intent(), fingerprint="f") is None


async def test_a_caller_that_leaves_after_commit_leaves_no_intent(ledger):
    begin = asyncio.create_task(ledger.begin(intent(), fingerprint="f"))
    await asyncio.sleep(0)
    ledger._writer.submit(lambda _: None).result(5)  # the loop has not heard of the commit yet
    begin.cancel()
    await asyncio.wait([begin])

    assert begin.cancelled()
    assert await ledger.begin(intent(), fingerprint="f") is None


async def test_a_caller_that_leaves_while_finishing_has_finished(ledger):
    await ledger.begin(intent(), fingerprint="f")
    finish = asyncio.create_task(ledger.finish(ended(intent())))
    await asyncio.sleep(0)
    finish.cancel()
    await asyncio.wait([finish])

    again = await ledger.begin(intent(), fingerprint="f")

    assert again is not None
    assert again.replayed


@pytest.mark.parametrize("begun", [True, False])
async def test_a_request_ends_once(ledger, begun):
    if begun:
        await ledger.begin(intent(), fingerprint="f")
        await ledger.fail(failed(intent()))

    with pytest.raises(errors.UnknownRequestError):
        await ledger.finish(ended(intent()))


async def test_a_manifest_is_read_as_it_was_recorded(ledger):
    reply = ended(intent())
    await ledger.begin(intent(), fingerprint="f")
    await ledger.finish(reply)

    assert reply.manifest == await ledger.manifest("r1")


async def test_a_manifest_in_progress_says_so(ledger):
    await ledger.begin(intent(), fingerprint="f")

    assert intent() == await ledger.manifest("r1")


async def test_an_unknown_request_has_no_manifest(ledger):
    with pytest.raises(errors.UnknownRequestError, match="r1"):
        await ledger.manifest("r1")


async def test_feedback_is_stamped_and_joins_the_manifest(ledger):
    await ledger.begin(intent(), fingerprint="f")
    first = await ledger.add_feedback("r1", manifest_pb2.Feedback(score=0.0, source="a"))
    second = await ledger.add_feedback("r1", manifest_pb2.Feedback(score=1.0, source="b"))

    assert first.HasField("submit_time")
    assert [first, second] == (await ledger.manifest("r1")).feedback


async def test_feedback_outlives_the_end_of_its_request(ledger):
    await ledger.begin(intent(), fingerprint="f")
    given = await ledger.add_feedback("r1", manifest_pb2.Feedback(score=1.0))
    await ledger.finish(ended(intent()))

    assert [given] == (await ledger.manifest("r1")).feedback


async def test_feedback_needs_a_request(ledger):
    with pytest.raises(errors.UnknownRequestError):
        await ledger.add_feedback("r1", manifest_pb2.Feedback(score=1.0))


async def test_cost_is_kept_in_integer_micro_dollars(ledger, path):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.finish(ended(intent()))

    with sqlite3.connect(path) as connection:
        (cost,) = connection.execute("SELECT cost_micro_usd FROM manifests").fetchone()
    connection.close()
    assert 250_000 == cost


@pytest.mark.parametrize(
    ("cost_usd", "kept"),
    [(1e308, MOST_MICRO_USD), (float("inf"), MOST_MICRO_USD), (float("nan"), 0), (-1.0, 0)],
)
async def test_no_cost_is_too_large_to_record(ledger, path, cost_usd, kept):
    reply = ended(intent())
    reply.manifest.cost_usd = cost_usd
    await ledger.begin(intent(), fingerprint="f")
    await ledger.finish(reply)

    with sqlite3.connect(path) as connection:
        (cost,) = connection.execute("SELECT cost_micro_usd FROM manifests").fetchone()
    connection.close()
    assert kept == cost


async def test_everything_survives_a_restart(path):
    reply = ended(intent())
    async with open_ledger(path) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        await ledger.finish(reply)
        feedback = await ledger.add_feedback("r1", manifest_pb2.Feedback(score=1.0))

    async with open_ledger(path) as ledger:
        read = await ledger.manifest("r1")
        again = await ledger.begin(intent(), fingerprint="f")
        page = await ledger.manifests(ensemble_pb2.ListManifestsRequest())

    assert [feedback] == read.feedback
    assert again is not None
    assert reply.answer == again.answer
    assert ["r1"] == [manifest.request_id for manifest in page.manifests]
