"""A stage that is lost underway may have spent: the manifest never says that it was nothing."""

import asyncio

import pytest

from gremium.v1 import manifest_pb2, types_pb2
from services.config.care import Hedge, Retry
from services.config.tree import Price
from services.core import errors
from services.gateway import flow
from tests.cases import case, jury_case, tier
from tests.fakes import ScriptedMesh

TWO = (tier("small"), tier("large"))
JURY, JUDGE = manifest_pb2.STAGE_JURY, manifest_pb2.STAGE_JUDGE
FAILED = manifest_pb2.PARTICIPATION_STATUS_FAILED
CANCELLED = manifest_pb2.PARTICIPATION_STATUS_CANCELLED


def priced(asked):
    """The same case, every model of another family and at 1 USD per 1,000 tokens."""
    price = Price(input_usd_per_mtok=1000.0, output_usd_per_mtok=1000.0)
    asked.asked.prompt.params.max_output_tokens = 100
    for name, model in asked.models.items():
        asked.models[name] = model.model_copy(update={"price": price, "family": name})
    return asked


async def lost(asked, mesh, ledger, error):
    with pytest.raises(error):
        await flow.ask(asked, mesh=mesh, ledger=ledger)
    return await ledger.manifest("r1")


async def left(asked, mesh, ledger):
    """What the manifest says when the caller leaves."""
    asking = asyncio.create_task(flow.ask(asked, mesh=mesh, ledger=ledger))
    await asyncio.sleep(0.1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    return await ledger.manifest("r1")


def told(manifest, stage):
    return [
        (part.name, part.status, part.reason, part.tier, part.model_calls, part.usage_estimated)
        for part in manifest.participations
        if part.stage == stage
    ]


async def test_a_caller_who_leaves_is_told_who_was_being_asked(ledger):
    mesh = ScriptedMesh({"jury": ["42", "42", "42"]}, hangs=True)

    manifest = await left(priced(jury_case()), mesh, ledger)

    names = ("jury-0", "jury-1", "jury-2")
    assert [(n, CANCELLED, "CANCELLED", "jury", 2, True) for n in names] == told(manifest, JURY)
    assert 6 == manifest.model_calls
    assert manifest.usage.output_tokens == 600
    assert 0.6 < manifest.cost_usd < 0.8


async def test_a_jury_that_breaks_off_may_have_asked_everybody(ledger):
    mesh = ScriptedMesh({"small": errors.InternalError("service took the call and broke off")})

    manifest = await lost(priced(case()), mesh, ledger, errors.InternalError)

    assert [("small-0", FAILED, "INTERNAL", "small", 2, True)] == told(manifest, JURY)
    assert manifest.cost_usd > 0.1


@pytest.mark.parametrize("error", [errors.PeerError("down"), errors.OverloadedError("full")])
async def test_a_jury_that_was_not_there_asked_nobody(ledger, error):
    mesh = ScriptedMesh({"small": error})

    manifest = await lost(priced(case()), mesh, ledger, type(error))

    assert [("", FAILED, error.reason, "small", 0, False)] == told(manifest, JURY)
    assert (0, 0.0) == (manifest.model_calls, manifest.cost_usd)


async def test_a_lost_jury_asked_no_more_than_it_had_calls_for(ledger):
    mesh = ScriptedMesh({"jury": errors.InternalError("broke off")})
    asked = priced(case(tier("jury", seats=3), judge=None))
    asked.asked.budget.CopyFrom(types_pb2.Budget(max_model_calls=2))
    route = mesh.route

    async def three(request, *, deadline):
        response = await route(request, deadline=deadline)
        response.decision.tiers[0].jurors[:] = ["jury-0", "jury-1", "jury-2"]
        return response

    mesh.route = three
    manifest = await lost(asked, mesh, ledger, errors.InternalError)

    assert 2 == manifest.model_calls


@pytest.mark.parametrize(
    ("attempts", "hedge", "calls"),
    [(1, None, 1), (1, Hedge(), 2), (2, Hedge(), 2), (3, Hedge(), 3)],
)
async def test_a_lost_juror_may_have_been_asked_as_often_as_its_model_allows(
    ledger, attempts, hedge, calls
):
    asked = priced(case(judge=None))
    care = {"retry": Retry(max_attempts=attempts), "hedge": hedge}
    asked.models["small"] = asked.models["small"].model_copy(update=care)
    mesh = ScriptedMesh({"small": errors.InternalError("broke off")})

    manifest = await lost(asked, mesh, ledger, errors.InternalError)

    assert (calls, 100 * calls) == (manifest.model_calls, manifest.usage.output_tokens)
    assert 0.1 * calls < manifest.cost_usd < 0.12 * calls


@pytest.mark.parametrize(
    "limits", [{"max_model_calls": 4}, {"max_cost_usd": 0.35}, {"max_tokens": 350}]
)
async def test_a_lost_jury_spent_no_more_than_it_had(ledger, limits):
    asked = priced(jury_case(judge=None))
    asked.asked.budget.CopyFrom(types_pb2.Budget(**limits))
    mesh = ScriptedMesh({"jury": errors.InternalError("broke off")})

    route = mesh.route

    async def three(request, *, deadline):
        response = await route(request, deadline=deadline)
        response.decision.tiers[0].jurors[:] = ["jury-0", "jury-1", "jury-2"]
        return response

    mesh.route = three
    manifest = await lost(asked, mesh, ledger, errors.InternalError)

    spent = {
        "max_model_calls": manifest.model_calls,
        "max_cost_usd": manifest.cost_usd,
        "max_tokens": manifest.usage.input_tokens + manifest.usage.output_tokens,
    }
    ((limited, most),) = limits.items()
    assert 0.98 * most < spent[limited] <= most + 1e-9


async def test_a_lost_judge_may_have_been_paid(ledger):
    mesh = ScriptedMesh({"small": ["42"]}, verdicts=[errors.DeadlineSpentError("late")])
    aggregate = mesh.aggregate

    async def of_a_family(request, *, deadline):
        response = await aggregate(request, deadline=deadline)
        response.representative.family = "small"
        return response

    mesh.aggregate = of_a_family
    manifest = (await flow.ask(priced(case()), mesh=mesh, ledger=ledger)).manifest

    assert [("judge", FAILED, "DEADLINE_SPENT", "small", 2, True)] == told(manifest, JUDGE)
    assert (3, True) == (manifest.model_calls, manifest.cost_usd > 0.11)


@pytest.mark.parametrize("error", [errors.PeerError("down"), errors.OverloadedError("full")])
async def test_an_aggregator_that_is_gone_does_not_cost_what_was_paid(ledger, error):
    mesh = ScriptedMesh({"small": ["42"]}, counting=error)

    reply = await flow.ask(case(judge=None), mesh=mesh, ledger=ledger)

    assert ("42", True) == (reply.answer.text, reply.degraded)


@pytest.mark.parametrize("error", [errors.PeerError("down"), errors.OverloadedError("full")])
async def test_a_jury_that_is_gone_after_another_tier_was_asked_is_no_invitation_to_retry(
    ledger, error
):
    mesh = ScriptedMesh({"small": [None], "large": error})
    with pytest.raises(errors.StageFailedError, match="jury") as caught:
        await flow.ask(case(*TWO), mesh=mesh, ledger=ledger)

    assert {"stage": "jury", "cause": error.reason} == caught.value.metadata
    assert 1 == (await ledger.manifest("r1")).model_calls


async def test_an_outage_before_any_model_was_asked_starts_anew(ledger):
    down = ScriptedMesh({"small": errors.PeerError("jury is down")})
    with pytest.raises(errors.PeerError):
        await flow.ask(case(judge=None), mesh=down, ledger=ledger)

    reply = await flow.ask(case(judge=None), mesh=ScriptedMesh({"small": ["42"]}), ledger=ledger)

    assert ("42", False) == (reply.answer.text, reply.replayed)


async def test_a_cancelled_request_is_told_again_as_its_manifest_says(ledger):
    manifest = await left(case(), ScriptedMesh({"small": ["42"]}, hangs=True), ledger)
    with pytest.raises(errors.CancelledRequestError, match=manifest.error.message) as caught:
        await flow.ask(case(), mesh=ScriptedMesh({"small": ["42"]}), ledger=ledger)

    assert ("CANCELLED", "CANCELLED") == (manifest.error.code, manifest.error.reason)
    assert "true" == caught.value.metadata["replayed"]


async def test_no_usage_is_too_large_to_sum(ledger):
    mesh = ScriptedMesh({"jury": ["42", "42", "42"]})
    deliberate = mesh.deliberate

    async def absurd(request, *, deadline, watch=None):
        response = await deliberate(request, deadline=deadline)
        for part in response.participations:
            part.usage.input_tokens, part.cost_usd = 2**63 - 1, 1e308
        return response

    mesh.deliberate = absurd
    reply = await flow.ask(jury_case(judge=None), mesh=mesh, ledger=ledger)

    assert "42" == reply.answer.text
    assert 2**62 == reply.manifest.usage.input_tokens


async def test_a_jury_that_no_time_was_left_for_spent_nothing(ledger):
    mesh = ScriptedMesh({"small": ["42"]})
    route = mesh.route

    async def dawdle(request, *, deadline):
        await asyncio.sleep(0.35)
        return await route(request, deadline=deadline)

    async def too_late(_, *, deadline, watch=None):
        deadline.remaining()

    mesh.route, mesh.deliberate = dawdle, too_late
    manifest = await lost(case(allowed_s=0.3), mesh, ledger, errors.DeadlineSpentError)

    assert "no time was left for the jury" == manifest.error.message
    assert [("", FAILED, "DEADLINE_SPENT", "small", 0, False)] == told(manifest, JURY)
