"""What a request may spend and hold, and that nobody is asked beyond it."""

import grpc
import pytest

from gremium.v1 import manifest_pb2, types_pb2
from tests.mesh.meshes import reason, request
from tests.mesh.test_ask import ANSWERED, JURY, PASS, TWO_TIERS, parts


async def test_one_model_call_buys_one_answer_and_no_verdict(serve):
    gateway = await serve(TWO_TIERS, {"judge": PASS})

    reply = await gateway.ask(budget=types_pb2.Budget(max_model_calls=1))

    assert ("4", ANSWERED, True) == (reply.answer.text, reply.outcome, reply.unjudged)
    assert (1, 1) == (reply.manifest.model_calls, gateway.provider.calls)
    skipped = {"": ("SKIPPED", "BUDGET_SPENT")}
    assert skipped == parts(reply.manifest, manifest_pb2.STAGE_JUDGE)


@pytest.mark.parametrize("limit", ["max_model_calls", "max_cost_usd", "max_tokens"])
async def test_a_budget_of_nothing_is_spent(serve, limit):
    gateway = await serve(JURY)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(budget=types_pb2.Budget(**{limit: 0}))

    assert (grpc.StatusCode.RESOURCE_EXHAUSTED, "BUDGET_SPENT", 0) == (
        caught.value.code(),
        reason(caught.value),
        gateway.provider.calls,
    )


async def test_a_budget_below_the_quorum_asks_nobody(serve):
    gateway = await serve({**JURY, "quorum": 2})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(budget=types_pb2.Budget(max_model_calls=1))

    assert (grpc.StatusCode.FAILED_PRECONDITION, "NO_ELIGIBLE_TIER", 0) == (
        caught.value.code(),
        reason(caught.value),
        gateway.provider.calls,
    )


async def test_a_jury_shrinks_to_its_budget(serve):
    gateway = await serve(JURY)

    reply = await gateway.ask(budget=types_pb2.Budget(max_model_calls=1))

    assert (ANSWERED, 1) == (reply.outcome, gateway.provider.calls)


@pytest.mark.parametrize(
    ("images", "code"),
    [(2, grpc.StatusCode.FAILED_PRECONDITION), (3, grpc.StatusCode.RESOURCE_EXHAUSTED)],
)
async def test_a_request_may_have_eight_mebibytes(serve, images, code):
    gateway = await serve(JURY)
    asked = request("What is this?")
    image = types_pb2.Image(data=bytes(3_900_000), media_type="image/png")
    asked.prompt.messages[0].parts.extend([types_pb2.Part(image=image)] * images)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.stub.Ask(asked, timeout=10)

    assert (code, 0) == (caught.value.code(), gateway.provider.calls)
