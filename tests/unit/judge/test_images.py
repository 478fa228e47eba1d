"""A judge passes nothing about images that it has not seen."""

from gremium.v1 import types_pb2
from tests.unit.judge.judging import GOOD, PASS, UNJUDGED, judging, wanted


def pictured(**more):
    request = wanted("It is red.", question="Which colour?", **more)
    image = types_pb2.Image(data=b"PNG", media_type="image/png")
    request.prompt.messages[0].parts.append(types_pb2.Part(image=image))
    return request


async def test_a_judge_sees_the_images_of_the_prompt():
    async with judging(first=GOOD, sighted=["first"]) as (server, verify):
        reply = await verify(pictured())

    content = server.requests[0]["messages"][-1]["content"]
    assert PASS == reply.verdict.kind
    assert ["data:image/png;base64,UE5H"] == [
        part["image_url"]["url"] for part in content if part["type"] == "image_url"
    ]


async def test_a_judge_that_cannot_see_is_not_asked_about_images():
    async with judging(first=GOOD, second=GOOD, own=GOOD, sighted=["own"]) as (server, verify):
        reply = await verify(pictured(models=["first", "own", "second"]))

    assert (UNJUDGED, "JUDGE_CANNOT_SEE", 0) == (
        reply.verdict.kind,
        reply.verdict.unjudged_reason,
        server.calls,
    )
    assert [] == list(reply.participations)


async def test_a_judge_that_sees_is_asked_instead():
    async with judging(first=GOOD, second=GOOD, sighted=["second"]) as (server, verify):
        reply = await verify(pictured(models=["first", "second"]))

    assert (PASS, "second", 1) == (reply.verdict.kind, reply.verdict.judge, server.calls)
