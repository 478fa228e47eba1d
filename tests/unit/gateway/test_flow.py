"""One request: an intent before, a record after, and a reply that is never paid twice."""

import asyncio

import pytest

from gremium.v1 import ensemble_pb2, judge_pb2, manifest_pb2
from services.core import errors
from services.gateway import flow
from tests.cases import case, jury_case, tier
from tests.fakes import FAIL, PASS, ScriptedMesh
from tests.unit.ledger.disks import full


async def test_replies_what_it_recorded(ledger):
    mesh = ScriptedMesh({"small": ["42"]}, verdicts=[PASS])

    reply = await flow.ask(case(), mesh=mesh, ledger=ledger)

    assert ("r1", "42", False) == (reply.request_id, reply.answer.text, reply.replayed)
    assert reply.manifest == await ledger.manifest("r1")


async def test_a_manifest_names_every_stage_and_sums_what_was_spent(ledger):
    mesh = ScriptedMesh({"small": ["41"], "large": ["42"]}, verdicts=[FAIL, PASS])

    manifest = (await flow.ask(case(*TWO), mesh=mesh, ledger=ledger)).manifest

    assert ["ROUTER", "JURY", "AGGREGATOR", "JUDGE", "JURY", "AGGREGATOR", "JUDGE"] == [
        manifest_pb2.Stage.Name(part.stage).removeprefix("STAGE_")
        for part in manifest.participations
    ]
    assert (40, 20) == (manifest.usage.input_tokens, manifest.usage.output_tokens)
    assert (4, 0.04) == (manifest.model_calls, pytest.approx(manifest.cost_usd))
    assert ("large-0", {"team": "a"}) == (manifest.chosen_juror, dict(manifest.labels))
    assert ["small", "large"] == [tally.tier for tally in manifest.tallies]
    assert ["small", "large"] == [verdict.tier for verdict in manifest.verdicts]
    judged = [p.tier for p in manifest.participations if p.stage == manifest_pb2.STAGE_JUDGE]
    assert ["small", "large"] == judged


async def test_a_repeated_request_gets_its_reply_again(ledger):
    first = await flow.ask(
        case(), mesh=ScriptedMesh({"small": ["42"]}, verdicts=[PASS]), ledger=ledger
    )
    idle = ScriptedMesh({"small": ["no"]})

    again = await flow.ask(case(), mesh=idle, ledger=ledger)

    assert (first.answer, True) == (again.answer, again.replayed)
    assert [] == idle.asked


async def test_a_repeated_request_with_another_body_is_refused(ledger):
    mesh = ScriptedMesh({"small": ["42"]}, verdicts=[PASS])
    first = await flow.ask(case(), mesh=mesh, ledger=ledger)
    other = case()
    other.asked.prompt.messages[0].parts[0].text = "7 x 7?"

    with pytest.raises(errors.RequestIdReusedError):
        await flow.ask(other, mesh=mesh, ledger=ledger)

    assert first.manifest == await ledger.manifest("r1")


async def test_a_failure_keeps_what_was_answered_and_spent(ledger):
    mesh = ScriptedMesh({"jury": ["42", None, None]})
    with pytest.raises(errors.QuorumNotReachedError):
        await flow.ask(jury_case(), mesh=mesh, ledger=ledger)

    manifest = await ledger.manifest("r1")

    assert manifest_pb2.MANIFEST_STATE_FAILED == manifest.state
    assert ("ABORTED", "QUORUM_NOT_REACHED") == (manifest.error.code, manifest.error.reason)
    assert (["42"], 3) == ([answer.text for answer in manifest.answers], manifest.model_calls)


async def test_a_stage_that_failed_is_in_the_manifest(ledger):
    mesh = ScriptedMesh({"small": errors.PeerError("jury is down")})
    with pytest.raises(errors.PeerError):
        await flow.ask(case(), mesh=mesh, ledger=ledger)

    (_, part) = (await ledger.manifest("r1")).participations

    assert (manifest_pb2.STAGE_JURY, "PEER_UNAVAILABLE", "jury is down") == (
        part.stage,
        part.reason,
        part.reason_text,
    )


async def test_a_judge_that_failed_is_in_the_manifest(ledger):
    mesh = ScriptedMesh({"small": ["42"]}, verdicts=[errors.DeadlineSpentError("late")])

    manifest = (await flow.ask(case(), mesh=mesh, ledger=ledger)).manifest

    part = manifest.participations[-1]
    assert (manifest_pb2.STAGE_JUDGE, manifest_pb2.PARTICIPATION_STATUS_FAILED) == (
        part.stage,
        part.status,
    )
    assert "DEADLINE_SPENT" == part.reason


async def test_a_stage_out_of_time_is_named_with_its_share(ledger):
    mesh = ScriptedMesh({"small": errors.DeadlineSpentError("the deadline passed")})
    text = r"jury did not answer within 3\.\d s of the 5\.0 s"
    with pytest.raises(errors.DeadlineSpentError, match=text) as caught:
        await flow.ask(case(allowed_s=5.0), mesh=mesh, ledger=ledger)

    assert "jury" == caught.value.metadata["stage"]
    assert "jury" == (await ledger.manifest("r1")).error.metadata["stage"]


async def test_a_judge_who_was_not_asked_is_skipped(ledger):
    mesh = ScriptedMesh({"small": ["42"]})
    nobody = manifest_pb2.Verdict(
        kind=manifest_pb2.VERDICT_KIND_UNJUDGED,
        unjudged_reason="NO_INDEPENDENT_JUDGE",
        reason_text="there is none",
    )

    async def unasked(request, *, deadline):
        return judge_pb2.VerifyResponse(verdict=nobody, unspent=request.lease)

    mesh.verify = unasked
    manifest = (await flow.ask(case(), mesh=mesh, ledger=ledger)).manifest

    part = manifest.participations[-1]
    assert (manifest_pb2.PARTICIPATION_STATUS_SKIPPED, "NO_INDEPENDENT_JUDGE", "there is none") == (
        part.status,
        part.reason,
        part.reason_text,
    )


async def test_a_caller_who_gives_up_leaves_a_record(ledger):
    asking = asyncio.create_task(
        flow.ask(case(), mesh=ScriptedMesh({"small": ["42"]}, hangs=True), ledger=ledger)
    )
    await asyncio.sleep(0.1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    manifest = await ledger.manifest("r1")

    assert ("CANCELLED", manifest_pb2.MANIFEST_STATE_FAILED) == (
        manifest.error.reason,
        manifest.state,
    )


async def test_a_bug_is_recorded_without_its_text(ledger):
    mesh = ScriptedMesh({"elsewhere": ["42"]}, verdicts=[PASS])
    mesh.route = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        await flow.ask(case(), mesh=mesh, ledger=ledger)

    error = (await ledger.manifest("r1")).error

    assert ("INTERNAL", "internal error") == (error.reason, error.message)


async def test_a_reply_that_the_disk_refuses_is_an_error_at_once_and_told_again_later(ledger):
    mesh = ScriptedMesh({"small": ["x" * 100_000]}, verdicts=[PASS])
    with full(ledger), pytest.raises(errors.LedgerError, match="kept until the disk takes it"):
        async with asyncio.timeout(5):
            await flow.ask(case(allowed_s=60.0), mesh=mesh, ledger=ledger)
    await ledger.flush(within_s=5)

    assert (await flow.ask(case(), mesh=mesh, ledger=ledger)).replayed


async def test_a_failure_that_the_disk_refuses_is_told_as_it_is(ledger, caplog):
    mesh = ScriptedMesh({"small": ["x" * 100_000]}, verdicts=[PASS])
    mesh.verify = lambda *_, **__: 1 / 0
    with full(ledger), pytest.raises(ZeroDivisionError):
        await flow.ask(case(), mesh=mesh, ledger=ledger)

    [told] = [each for each in caplog.records if each.name == "services.gateway.flow"]
    assert "the failure of request r1 is not on disk yet: " in told.getMessage()
    assert told.exc_info is None


async def test_one_model_asked_three_ways_is_a_self_ensemble(ledger):
    mesh = ScriptedMesh({"jury": ["42", "42", None]}, verdicts=[PASS])

    assert (await flow.ask(jury_case(), mesh=mesh, ledger=ledger)).manifest.self_ensemble


async def test_different_models_are_no_self_ensemble(ledger):
    mesh = ScriptedMesh({"small": ["41"], "large": ["42"]}, verdicts=[FAIL, PASS])

    assert not (await flow.ask(case(*TWO), mesh=mesh, ledger=ledger)).manifest.self_ensemble


async def test_a_reply_that_comes_too_late_to_be_recorded_in_time_is_kept(ledger):
    late = case(allowed_s=0.3, judge=None)
    mesh = ScriptedMesh({"small": ["42"]})
    aggregate = mesh.aggregate

    async def dawdle(request, *, deadline):
        await asyncio.sleep(0.35)
        return await aggregate(request, deadline=deadline)

    mesh.aggregate = dawdle
    with pytest.raises(errors.DeadlineSpentError):
        await flow.ask(late, mesh=mesh, ledger=ledger)

    again = await flow.ask(case(judge=None), mesh=mesh, ledger=ledger)

    assert ("42", True) == (again.answer.text, again.replayed)


def test_a_fingerprint_does_not_depend_on_the_request_id():
    one, other = ensemble_pb2.AskRequest(request_id="a"), ensemble_pb2.AskRequest(request_id="b")

    assert flow.fingerprint(one) == flow.fingerprint(other)


def test_a_fingerprint_does_not_depend_on_the_order_of_labels():
    one = ensemble_pb2.AskRequest(labels={"a": "1", "b": "2"})
    other = ensemble_pb2.AskRequest(labels={"b": "2", "a": "1"})

    assert flow.fingerprint(one) == flow.fingerprint(other)


TWO = (tier("small"), tier("large"))
