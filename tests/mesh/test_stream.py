"""A streamed request is the same request, told step by step, on both transports."""

import json
import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2
from services.cli.ask_stream import followed
from services.core.deadline import Deadline
from services.core.errors import QuorumNotReachedError
from tests.mesh.meshes import TIMEOUT_S, metadata, reason, request
from tests.upstream import MISBEHAVIOUR, Reply


def verdict(passed):
    criteria = ("hallucination", "safety", "logic")
    return Reply(
        json.dumps(
            {c: {"evidence": "e", "pass": passed or c == "safety", "score": 0.5} for c in criteria}
        )
    )


PASS, FAIL = verdict(passed=True), verdict(passed=False)
JURORS = [{"model": "a"}, {"model": "b"}, {"model": "c"}]
JURY = {"jurors": JURORS, "quorum": 2, "grace_s": 2.0}
SENTENCE = "It is four, as far as anybody knows."
SLOW = Reply(SENTENCE, token_delay_s=0.03)
SAYS = dict.fromkeys("abc", SLOW)


def stream(gateway, text="What is 2 + 2?", *, timeout_s=TIMEOUT_S, **fields):
    asked = ensemble_pb2.AskStreamRequest(ask=request(text, **fields))
    return gateway.stub.AskStream(asked, timeout=timeout_s)


async def told(gateway, **fields):
    return [event async for event in stream(gateway, **fields)]


def kinds(events):
    return [event.WhichOneof("event") for event in events]


def words(events, juror):
    deltas = [event.juror_delta for event in events if event.HasField("juror_delta")]
    return "".join(delta.text for delta in deltas if delta.juror == juror)


async def test_tells_every_step_in_order_and_the_reply_last(serve):
    gateway = await serve(JURY, SAYS)
    events = await told(gateway, request_id="r1")
    steps = [kind for kind in kinds(events) if kind != "juror_delta"]

    assert ["routed", *["juror_started"] * 3, *["juror_settled"] * 3, "tallied", "final"] == steps
    final = events[-1].final
    assert SENTENCE == final.answer.text
    assert dict.fromkeys("abc", SENTENCE) == {name: words(events, name) for name in "abc"}
    assert final.manifest == await gateway.manifest("r1")
    settled = [event.juror_settled for event in events if event.HasField("juror_settled")]
    assert {part.name: part for part in final.manifest.participations if part.model} == {
        end.participation.name: end.participation for end in settled
    }
    assert final.manifest.tallies[0] == next(e.tallied for e in events if e.HasField("tallied"))


async def test_words_come_while_the_models_write(serve):
    gateway = await serve(JURY, SAYS)
    call = stream(gateway)
    async for event in call:
        if event.HasField("juror_delta"):
            break

    assert 3 == gateway.provider.running
    assert "final" == kinds([event async for event in call])[-1]


async def test_a_verdict_is_told(serve):
    gateway = await serve({**JURY, "judge": {"models": ["j"]}}, {**SAYS, "j": PASS})
    events = await told(gateway)

    assert ["tallied", "judged", "final"] == kinds(events)[-3:]
    assert events[-2].judged == events[-1].final.manifest.verdicts[0]


async def test_the_same_request_asked_or_followed_is_one(serve):
    gateway = await serve(JURY, SAYS)
    asked = await gateway.ask(request_id="r1")
    calls = gateway.provider.calls
    (last,) = await told(gateway, request_id="r1")

    assert last.final.replayed
    assert asked.answer == last.final.answer
    assert calls == gateway.provider.calls


async def test_costs_and_counts_are_those_of_a_call(serve):
    gateway = await serve(JURY, SAYS)
    asked, (*_, last) = await gateway.ask(), await told(gateway)

    for name in ("usage", "cost_usd", "model_calls", "outcome", "chosen_juror"):
        assert getattr(asked.manifest, name) == getattr(last.final.manifest, name)


@pytest.mark.parametrize("cut", [{"cut_after": 3}, {"ends_after": 3}], ids=str)
async def test_a_stream_cut_upstream_is_no_vote(serve, cut):
    gateway = await serve(JURY, {**SAYS, "b": Reply(SENTENCE, **cut)})
    events = await told(gateway)

    final = events[-1].final
    assert ["a", "c"] == [answer.juror for answer in final.manifest.answers]
    part = next(p for p in final.manifest.participations if p.name == "b")
    assert manifest_pb2.PARTICIPATION_STATUS_FAILED == part.status
    assert part.reason in {"CONNECTION", "STREAM_CUT"}
    assert part.usage_estimated
    assert part.usage.output_tokens > 0
    assert part.cost_usd > 0
    assert "It is four," == words(events, "b")


async def test_a_label_is_told_once_and_bare(serve):
    said = Reply('{"label": "yes"}', token_delay_s=0.03)
    gateway = await serve(JURY, dict.fromkeys("abc", said))
    shape = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["yes", "no"]))
    events = await told(gateway, shape=shape)

    deltas = [event.juror_delta for event in events if event.HasField("juror_delta")]
    assert [("a", "yes"), ("b", "yes"), ("c", "yes")] == sorted((d.juror, d.text) for d in deltas)
    assert "yes" == events[-1].final.answer.text


async def test_a_request_that_fails_underway_ends_with_an_error(serve):
    gateway = await serve(JURY, dict.fromkeys("abc", Reply(SENTENCE, cut_after=2)))
    events = await told(gateway, request_id="r1")

    assert "error" == kinds(events)[-1]
    error = events[-1].error
    assert ("ABORTED", "QUORUM_NOT_REACHED", "r1") == (
        error.code,
        error.reason,
        error.metadata["request_id"],
    )
    manifest = await gateway.manifest("r1")
    assert manifest_pb2.MANIFEST_STATE_FAILED == manifest.state
    assert error.reason == manifest.error.reason


async def test_a_stage_that_is_hung_ends_with_an_error_in_time(serve):
    gateway = await serve(JURY, SAYS, hung={"jury"})
    began = time.monotonic()
    *_, last = await told(gateway, timeout_s=1.5)

    assert "DEADLINE_SPENT" == last.error.reason
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"ensemble": "none"}, "UNKNOWN_ENSEMBLE"), ({"text": " "}, "INVALID_REQUEST")],
)
async def test_what_never_began_is_refused_as_a_call_is(serve, fields, why):
    gateway = await serve(JURY)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await told(gateway, **fields)

    assert why == reason(caught.value)


async def test_a_request_that_is_in_progress_for_too_long_is_refused(serve):
    gateway = await serve(JURY, dict.fromkeys("abc", Reply(hang=True)))
    first = stream(gateway, request_id="r1")
    await first.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await told(gateway, request_id="r1", timeout_s=0.5)

    assert "REQUEST_IN_PROGRESS" == reason(caught.value)
    first.cancel()


async def test_leaving_stops_the_models_and_is_recorded(serve):
    gateway = await serve(JURY, dict.fromkeys("abc", Reply(SENTENCE, token_delay_s=0.2)))
    call = stream(gateway, request_id="r1")
    async for event in call:
        if event.HasField("juror_delta"):
            break
    call.cancel()

    await gateway.provider.until(lambda: gateway.provider.disconnects == 3)
    manifest = await gateway.settled("r1")
    assert "CANCELLED" == manifest.error.reason
    assert 2 * 3 == manifest.model_calls  # nobody knows whether one was asked again
    assert manifest.cost_usd > 0


async def test_a_reader_that_sleeps_does_not_hold_up_the_jury(serve):
    more_than_a_window = ("x" * 2000 + " ") * 100
    gateway = await serve(
        JURY, dict.fromkeys("abc", Reply(more_than_a_window, token_delay_s=0.001))
    )
    call = stream(gateway, request_id="r1")
    async for _ in call:
        break
    manifest = await gateway.settled("r1")

    assert manifest_pb2.OUTCOME_ANSWERED == manifest.outcome
    assert "final" == kinds([event async for event in call])[-1]


async def test_words_are_joined(serve):
    gateway = await serve(JURY, dict.fromkeys("abc", Reply("word " * 300, token_delay_s=0.001)))
    began = time.monotonic()
    events = await told(gateway)

    deltas = kinds(events).count("juror_delta")
    assert 3 <= deltas <= 3 * (2 + (time.monotonic() - began) / 0.02)


async def test_an_ensemble_that_goes_on_tells_each_tier(serve):
    tiers = [
        {"name": "small", "jurors": [{"model": "small"}]},
        {"name": "large", "jurors": [{"model": "large"}]},
    ]
    judge = [FAIL, PASS]
    ensemble = {
        "pattern": "route",
        "tiers": tiers,
        "judge": {"models": ["j"]},
        "min_adequacy": 0.01,
    }
    gateway = await serve(ensemble, {"small": Reply("five"), "large": Reply("four"), "j": judge})
    events = await told(gateway)

    started = [event.juror_started.juror for event in events if event.HasField("juror_started")]
    assert ["small", "large"] == started
    (escalated,) = [event.escalated for event in events if event.HasField("escalated")]
    assert ("small", "large") == (escalated.from_tier, escalated.to_tier)
    assert ["judged", "final"] == [kind for kind in kinds(events) if kind in {"judged", "final"}][
        1:
    ]
    assert "four" == events[-1].final.answer.text


async def test_the_command_gets_the_reply_and_shows_the_rest(serve):
    gateway, shown = await serve(JURY, SAYS), []
    reply = await followed(
        gateway.stub, request("2 + 2?"), shown.append, deadline=Deadline.after(TIMEOUT_S)
    )

    assert SENTENCE == reply.answer.text
    assert {"juror_started", "juror_delta", "juror_settled"} <= set(kinds(shown))
    assert not {"final", "error"} & set(kinds(shown))


async def test_the_command_gets_the_failure_with_its_request(serve):
    gateway = await serve(JURY, dict.fromkeys("abc", Reply(SENTENCE, cut_after=2)))
    with pytest.raises(QuorumNotReachedError) as caught:
        await followed(
            gateway.stub,
            request("2 + 2?", request_id="r1"),
            [].append,
            deadline=Deadline.after(TIMEOUT_S),
        )

    assert "r1" == caught.value.metadata["request_id"]


async def test_a_failure_is_recorded_and_not_spent_again(serve):
    gateway = await serve(JURY, dict.fromkeys("abc", Reply(SENTENCE, cut_after=2)))
    await told(gateway, request_id="r1")
    calls = gateway.provider.calls
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await told(gateway, request_id="r1")

    assert "QUORUM_NOT_REACHED" == reason(caught.value)
    assert "replayed" in metadata(caught.value)
    assert calls == gateway.provider.calls


@pytest.mark.parametrize("name", sorted(set(MISBEHAVIOUR) - {"slow", "json", "truncated"}))
async def test_whatever_a_model_does_the_others_answer(serve, name):
    jurors = [{"model": "a"}, {"model": "b"}, {"model": name, "name": "bad"}]
    gateway = await serve({**JURY, "jurors": jurors, "grace_s": 1.0})
    events = await told(gateway)

    assert manifest_pb2.OUTCOME_ANSWERED == events[-1].final.outcome
    settled = [event.juror_settled for event in events if event.HasField("juror_settled")]
    assert ["bad"] == [end.participation.name for end in settled if not end.HasField("answer")]
    assert not words(events, "bad").startswith("Let me see")
