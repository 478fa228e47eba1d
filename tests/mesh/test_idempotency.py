"""A request_id names one request: asked again it is told again, and paid once."""

import asyncio

import grpc
import pytest

from gremium.v1 import ensemble_pb2
from tests.mesh.meshes import TIMEOUT_S, metadata, reason, request, request_id
from tests.mesh.test_ask import JURY
from tests.upstream import Reply


async def test_a_repeated_request_spends_nothing(serve):
    gateway = await serve(JURY)
    first = await gateway.ask(request_id="again")

    again = await gateway.ask(request_id="again")

    assert (False, True, 3) == (first.replayed, again.replayed, gateway.provider.calls)
    assert (first.answer, first.manifest) == (again.answer, again.manifest)


async def test_a_repeated_failure_is_told_again(serve):
    gateway = await serve({"jurors": [{"model": "http-500"}]})
    for _ in range(2):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await gateway.ask(request_id="again")

        assert ("QUORUM_NOT_REACHED", "again") == (reason(caught.value), request_id(caught.value))

        assert ("1", "0") == (metadata(caught.value)["quorum"], metadata(caught.value)["answered"])

    assert "true" == metadata(caught.value)["replayed"]
    assert 2 == gateway.provider.calls  # the first time it was asked twice


async def test_a_request_that_still_runs_is_not_asked_twice(serve):
    gateway = await serve({"jurors": [{"model": "hang", "timeout_s": 30}]})
    first = gateway.stub.Ask(request("?", request_id="twice"), timeout=20)
    await gateway.provider.until(lambda: gateway.provider.running == 1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask("?", request_id="twice", timeout_s=0.5)

    assert (grpc.StatusCode.ABORTED, "REQUEST_IN_PROGRESS", "twice") == (
        caught.value.code(),
        reason(caught.value),
        request_id(caught.value),
    )
    first.cancel()
    assert "CANCELLED" == (await gateway.settled("twice")).error.reason


async def test_a_request_whose_caller_left_is_told_again_as_its_manifest_says(serve):
    gateway = await serve({"jurors": [{"model": "hang", "timeout_s": 30}]})
    first = gateway.stub.Ask(request("?", request_id="left"), timeout=20)
    await gateway.provider.until(lambda: gateway.provider.running == 1)
    first.cancel()
    told = (await gateway.settled("left")).error

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask("?", request_id="left")

    assert (told.code, told.reason) == (caught.value.code().name, reason(caught.value))
    assert told.message == caught.value.details()
    assert 1 == gateway.provider.calls


@pytest.mark.parametrize("streamed", [False, True])
async def test_who_still_waits_gets_the_answer_though_the_first_caller_left(serve, streamed):
    gateway = await serve({"jurors": [{"model": "a"}]}, {"a": Reply(delay_s=0.8)})
    asked = request("?", request_id="joined")
    first = left_behind(gateway, asked) if streamed else gateway.stub.Ask(asked, timeout=TIMEOUT_S)
    await gateway.provider.until(lambda: gateway.provider.running == 1)
    second = asyncio.create_task(gateway.ask("?", request_id="joined"))
    await asyncio.sleep(0.2)

    first.cancel()
    reply = await second

    assert ("4", True) == (reply.answer.text, reply.replayed)
    assert (1, 0) == (gateway.provider.calls, gateway.provider.disconnects)


def left_behind(gateway, asked):
    """A stream that is being read."""
    call = gateway.stub.AskStream(ensemble_pb2.AskStreamRequest(ask=asked), timeout=TIMEOUT_S)

    async def read():
        async for _ in call:
            pass

    return asyncio.create_task(read())


async def test_the_last_one_to_leave_stops_the_models(serve):
    gateway = await serve({"jurors": [{"model": "hang", "timeout_s": 30}]})
    calls = [gateway.stub.Ask(request("?", request_id="all"), timeout=20) for _ in range(2)]
    await gateway.provider.until(lambda: gateway.provider.running == 1)
    await asyncio.sleep(0.2)

    calls[0].cancel()
    await asyncio.sleep(0.2)
    between = gateway.provider.disconnects
    calls[1].cancel()
    await gateway.provider.until(lambda: gateway.provider.disconnects == 1, within_s=2.0)

    assert 0 == between
    assert "CANCELLED" == (await gateway.settled("all")).error.reason


async def test_who_left_before_any_model_was_asked_may_ask_again(serve):
    gateway = await serve({"jurors": [{"model": "a"}]}, hung={"router"})
    first = gateway.stub.Ask(request("?", request_id="early"), timeout=TIMEOUT_S)
    await asyncio.sleep(0.2)
    first.cancel()
    assert "CANCELLED" == (await gateway.settled("early")).error.reason
    assert 0 == gateway.provider.calls

    reply = await gateway.ask("?", request_id="early")

    assert ("4", False, 1) == (reply.answer.text, reply.replayed, gateway.provider.calls)


async def test_another_question_needs_another_request_id(serve):
    gateway = await serve(JURY)
    await gateway.ask("2 + 2?", request_id="taken")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask("3 + 3?", request_id="taken")

    assert (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", "taken") == (
        caught.value.code(),
        reason(caught.value),
        request_id(caught.value),
    )
