"""Requests that share a budget never spend more than it has, on either transport."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gremium.v1 import ensemble_pb2
from tests.mesh.meshes import TIMEOUT_S, metadata, reason, request
from tests.upstream import Reply

ALONE = {"jurors": [{"model": "a"}]}
QUARTER = {"team": {"max_usd": 0.25, "per": "month"}}


def wordy(body):
    """All that it may write, at 0.001 US dollars a token; the question is of 8."""
    written = body["max_tokens"]
    usage = {"prompt_tokens": 8, "completion_tokens": written, "total_tokens": 8 + written}
    return Reply(delay_s=0.3, usage=usage)


def nine_cents(**fields):
    """A request that may cost 0.09 US dollars, and with `wordy` does."""
    asked = request("What is 2 + 2?", **fields)
    asked.prompt.params.max_output_tokens = 82
    return asked


async def outcome(asked):
    """A reply, or the error instead of it."""
    try:
        return await asked
    except grpc.aio.AioRpcError as err:
        return err


async def budgets(gateway):
    listed = await gateway.stub.ListEnsembles(
        ensemble_pb2.ListEnsemblesRequest(), timeout=TIMEOUT_S
    )
    return {b.name + b.caller: (b.spent_usd, b.reserved_usd) for b in listed.budgets}


async def test_four_at_once_never_spend_more_than_there_is(serve):
    gateway = await serve(ALONE, {"a": wordy}, budgets=QUARTER)

    ends = await asyncio.gather(
        *(outcome(gateway.stub.Ask(nine_cents(), timeout=TIMEOUT_S)) for _ in range(4))
    )

    refused = [end for end in ends if isinstance(end, grpc.aio.AioRpcError)]
    answered = [end for end in ends if not isinstance(end, grpc.aio.AioRpcError)]
    assert [pytest.approx(0.09)] * 2 == [end.manifest.cost_usd for end in answered]
    assert [(grpc.StatusCode.RESOURCE_EXHAUSTED, "BUDGET_SPENT")] * 2 == [
        (end.code(), reason(end)) for end in refused
    ]
    for told in map(metadata, refused):
        assert ("team", "0.25") == (told["budget"], told["limit_usd"])
        assert told["period_ends"].endswith("-01T00:00:00Z")
    assert 2 == gateway.provider.calls
    assert {"team": (pytest.approx(0.18), pytest.approx(0.0))} == await budgets(gateway)


def liar(**told):
    usage = {"prompt_tokens": 8, "completion_tokens": 1, **told}
    return Reply(usage={**usage, "total_tokens": sum(usage.values())})


@pytest.mark.parametrize(
    "told", [{"completion_tokens": 90_000}, {"prompt_tokens": 99_000_000}], ids=["wrote", "read"]
)
async def test_a_provider_that_lies_about_usage_takes_no_more_than_was_reserved(serve, told):
    gateway = await serve(ALONE, {"a": liar(**told)}, budgets=QUARTER)

    replies = [await gateway.stub.Ask(nine_cents(), timeout=TIMEOUT_S) for _ in range(2)]

    for manifest in (reply.manifest for reply in replies):
        (part,) = (part for part in manifest.participations if part.model)
        assert 0.0 < manifest.cost_usd <= manifest.reserved_usd + 1e-9
        assert (True, True) == (part.usage_estimated, "of at most" in part.usage_doubt)
    assert (await budgets(gateway))["team"][0] <= 0.18 + 1e-9


async def test_a_refused_request_is_told_when_to_come_again(serve):
    gateway = await serve(ALONE, {"a": wordy}, budgets={"team": {"max_usd": 0, "per": "hour"}})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask()

    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in rpc_status.from_call(caught.value).details)
    assert 0 < retry.retry_delay.seconds <= 3600
    assert 0 == gateway.provider.calls


async def test_what_was_not_spent_is_there_for_the_next(serve):
    gateway = await serve(ALONE, budgets=QUARTER)

    replies = [await gateway.stub.Ask(nine_cents(), timeout=TIMEOUT_S) for _ in range(5)]

    cost_usd = sum(reply.manifest.cost_usd for reply in replies)
    assert {"team": (pytest.approx(cost_usd), 0.0)} == await budgets(gateway)
    assert {0.09} == {round(reply.manifest.reserved_usd, 9) for reply in replies}


@pytest.mark.parametrize("ending", ["error", "cancelled"])
async def test_what_was_reserved_comes_back_however_it_ends(serve, ending):
    script = {"a": Reply(status=500) if ending == "error" else Reply(hang=True)}
    gateway = await serve(ALONE, script, budgets=QUARTER)
    call = gateway.stub.Ask(nine_cents(), timeout=TIMEOUT_S)
    if ending == "cancelled":
        await gateway.provider.until(lambda: gateway.provider.calls == 1)
        call.cancel()
    with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
        await call

    spent_usd = await spent_of("team", gateway)
    assert spent_usd <= 0.09 + 1e-9


async def test_who_leaves_while_models_are_asked_pays_what_they_may_have_spent(serve):
    gateway = await serve(ALONE, {"a": Reply(hang=True)}, budgets=QUARTER)
    call = gateway.stub.Ask(nine_cents(), timeout=TIMEOUT_S)
    await gateway.provider.until(lambda: gateway.provider.calls == 1)
    call.cancel()

    assert pytest.approx(0.09) == await spent_of("team", gateway)


async def test_who_leaves_before_any_model_was_asked_pays_nothing(serve):
    gateway = await serve(ALONE, budgets=QUARTER, hung={"router"})
    call = gateway.stub.Ask(nine_cents(request_id="early"), timeout=TIMEOUT_S)
    await asyncio.sleep(0.2)
    call.cancel()

    assert "CANCELLED" == (await gateway.settled("early")).error.reason
    assert (0.0, 0) == (await spent_of("team", gateway), gateway.provider.calls)


async def spent_of(budget, gateway):
    """US dollars, as soon as nothing is reserved any more."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            spent_usd, held_usd = (await budgets(gateway))[budget]
            if held_usd == 0.0:
                return spent_usd
            await asyncio.sleep(0.02)


async def test_a_request_without_a_budget_of_its_own_holds_what_its_ensemble_may_cost(serve):
    roomy = {"team": {"max_usd": 1000.0, "per": "day"}}
    gateway = await serve({"jurors": [{"model": "a"}, {"model": "b"}]}, budgets=roomy)

    reply = await gateway.ask()

    most = 2 * (8 + 1024) / 1000
    assert most == pytest.approx(reply.manifest.reserved_usd)


async def test_a_recorded_reply_needs_no_money(serve):
    gateway = await serve(ALONE, {"a": wordy}, budgets={"team": {"max_usd": 0.09, "per": "month"}})
    first = await gateway.stub.Ask(nine_cents(request_id="r1"), timeout=TIMEOUT_S)

    again = await gateway.stub.Ask(nine_cents(request_id="r1"), timeout=TIMEOUT_S)

    assert (True, first.answer) == (again.replayed, again.answer)
    with pytest.raises(grpc.aio.AioRpcError, match=r"budget team has 0 of 0\.09 USD left"):
        await gateway.stub.Ask(nine_cents(request_id="r2"), timeout=TIMEOUT_S)


async def test_callers_have_it_each(serve):
    each = {"each": {"max_usd": 0.09, "per": "day", "each_caller": True}}
    gateway = await serve(ALONE, {"a": wordy}, budgets=each)

    async def ask_as(caller):
        asked = nine_cents()
        return await gateway.stub.Ask(
            asked, timeout=TIMEOUT_S, metadata=[("gremium-caller", caller)]
        )

    assert "red" == (await ask_as("red")).manifest.caller
    with pytest.raises(grpc.aio.AioRpcError, match="budget each of red has"):
        await ask_as("red")
    assert (await ask_as("blue")).HasField("answer")


async def test_too_little_for_any_answer_names_the_budget(serve):
    gateway = await serve(ALONE, {"a": wordy}, budgets={"team": {"max_usd": 0.01, "per": "day"}})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask()

    assert (grpc.StatusCode.RESOURCE_EXHAUSTED, "BUDGET_SPENT", "team", 0) == (
        caught.value.code(),
        reason(caught.value),
        metadata(caught.value)["budget"],
        gateway.provider.calls,
    )
