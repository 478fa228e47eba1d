"""A streamed answer is the same answer, heard while it is written; a cut one is none."""

import asyncio
import json

import pytest

from services.core.answers import FinishReason, Status
from services.core.deadline import Deadline
from services.core.prompts import OutputFormat, Tool
from services.core.tokens import text_tokens
from services.models.asked import Attempt
from services.models.asking import ask, cancelled
from services.models.listening import Listener
from services.models.pricing import estimated_usage
from tests.unit.models.hearing import SENTENCE, streaming
from tests.unit.models.rosters import asking, request, roster_of
from tests.upstream import Reply, upstream

BACKENDS = ("openai", "anthropic", "google")
LABELS = OutputFormat("labels", labels=("yes", "no"))
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 30,
    "total_tokens": 130,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
BUILT_IN = {"anthropic": "ANTHROPIC_API_KEY", "google": "GEMINI_API_KEY"}


@pytest.fixture(params=BACKENDS)
def backend(request, monkeypatch):
    for variable in BUILT_IN.values():
        monkeypatch.setenv(variable, "secret")
    return request.param


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(SENTENCE), id="text"),
        pytest.param(Reply(SENTENCE, reasoning="Could it be Rome?", usage=USAGE), id="reasoning"),
        pytest.param(
            Reply("", tool_calls=[("get_weather", {"city": "Köln"}), ("now", {})]), id="tools"
        ),
        pytest.param(Reply("The answer is", finish_reason="length"), id="cut by its limit"),
        pytest.param(Reply(""), id="empty"),
    ],
)
async def test_a_streamed_reply_is_what_the_whole_one_says(backend, reply):
    async with streaming(reply, backend) as (_, put, hear):
        whole = await put()
        streamed, heard = await hear()

    assert Status.ANSWERED is streamed.status
    assert whole.reply == streamed.reply
    assert (whole.usage, whole.usage_estimated) == (streamed.usage, streamed.usage_estimated)
    assert reply.text == "".join(heard)
    assert len(heard) == len(reply.text.split())


async def test_tokens_are_heard_before_the_answer_is_complete(backend):
    async with asking({"m": Reply("one two three", token_delay_s=0.05)}, backend=backend) as (
        _,
        put,
    ):
        first = asyncio.Event()
        attempt = Attempt(listener=Listener(lambda _: first.set()))
        pending = asyncio.create_task(put(attempt=attempt))
        await asyncio.wait_for(first.wait(), 5)

        assert not pending.done()
        assert "one two three" == (await pending).reply.text


async def test_an_answer_given_by_a_tool_is_heard_too(backend):
    reply = {
        "anthropic": Reply("", tool_calls=[("answer", {"label": "yes"})]),
    }.get(backend, Reply('{"label": "yes"}'))
    async with streaming(reply, backend) as (_, _, hear):
        asked, heard = await hear(request(output_format=LABELS), at_once=True)

    assert ("yes", ["yes"]) == (asked.reply.text, heard)
    assert FinishReason.STOP is asked.reply.finish_reason


async def test_json_given_by_a_tool_is_heard_as_it_is_written(backend):
    reply = {
        "anthropic": Reply("Gladly.", tool_calls=[("answer", {"city": "Paris"}), ("answer", {})]),
    }.get(backend, Reply('{"city": "Paris"}'))
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    async with streaming(reply, backend) as (_, _, hear):
        asked, heard = await hear(request(output_format=OutputFormat("json", schema=schema)))

    assert len(heard) > 1
    assert {"city": "Paris"} == json.loads("".join(heard)) == json.loads(asked.reply.text)


async def test_a_value_that_a_stream_cut_is_never_told(backend):
    async with streaming(Reply("12 345", ends_after=1), backend) as (_, _, hear):
        asked, heard = await hear(request(output_format=OutputFormat("number")), at_once=True)

    assert (Status.FAILED, []) == (asked.status, heard)
    assert asked.usage.output_tokens > 0


@pytest.mark.parametrize("cut", [{"cut_after": 3}, {"ends_after": 3}, {"cut_after": 0}], ids=str)
async def test_a_stream_that_is_cut_is_a_failure_whose_cost_is_estimated(backend, cut):
    once = {"max_attempts": 1}
    async with streaming(Reply(SENTENCE, **cut), backend, retry=once) as (_, _, hear):
        asked, heard = await hear()

    assert (Status.FAILED, None, 1) == (asked.status, asked.reply, asked.model_calls)
    assert asked.reason in {"CONNECTION", "STREAM_CUT"}
    begun = "The capital of" if 0 not in cut.values() else ""
    assert begun == "".join(heard)
    assert asked.usage_estimated
    estimated = estimated_usage(request(), begun)
    told = backend == "anthropic"  # it counts the input before it writes
    assert (10 if told else estimated.input_tokens) == asked.usage.input_tokens
    assert max(int(told), estimated.output_tokens) == asked.usage.output_tokens


SOFAR = {
    "openai": (
        {
            "choices": [{"delta": {"content": "The capital"}}],
            "usage": {
                "prompt_tokens": 700,
                "completion_tokens": 90,
                "prompt_tokens_details": {"cached_tokens": 600},
            },
        },
        {"choices": [{"delta": {"content": " of"}}], "usage": None},
    ),
    "anthropic": (
        {
            "type": "message_start",
            "message": {
                "usage": {
                    "input_tokens": 100,
                    "cache_read_input_tokens": 600,
                    "output_tokens": 90,
                }
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "The capital of"},
        },
    ),
    "google": (
        {
            "candidates": [{"content": {"parts": [{"text": "The capital"}]}}],
            "usageMetadata": {
                "promptTokenCount": 700,
                "cachedContentTokenCount": 600,
                "candidatesTokenCount": 20,
                "thoughtsTokenCount": 70,
            },
        },
        {"candidates": [{"content": {"parts": [{"text": " of"}]}}]},
    ),
}


async def test_what_a_cut_stream_told_of_its_usage_counts(backend):
    events = [f"data: {json.dumps(event)}\n\n".encode() for event in SOFAR[backend]]
    reply = Reply(body=b"".join(events), headers={"Content-Type": "text/event-stream"})
    price = {
        "input_usd_per_mtok": 10.0,
        "cached_input_usd_per_mtok": 1.0,
        "output_usd_per_mtok": 100.0,
    }
    async with streaming(reply, backend, price=price) as (_, _, hear):
        asked, heard = await hear()

    assert ("STREAM_CUT", "The capital of") == (asked.reason, "".join(heard))
    assert (700, 600, 90) == (
        asked.usage.input_tokens,
        asked.usage.cached_input_tokens,
        asked.usage.output_tokens,
    )
    assert asked.usage_estimated
    assert pytest.approx((100 * 10 + 600 * 1 + 90 * 100) / 1e6) == asked.cost_usd


async def test_words_beyond_the_usage_that_was_told_count_too():
    long = {"choices": [{"delta": {"content": "word " * 400}}]}
    events = [f"data: {json.dumps(event)}\n\n".encode() for event in (*SOFAR["openai"], long)]
    reply = Reply(body=b"".join(events), headers={"Content-Type": "text/event-stream"})
    async with streaming(reply) as (_, _, hear):
        asked, heard = await hear()

    assert (700, text_tokens("".join(heard))) == (
        asked.usage.input_tokens,
        asked.usage.output_tokens,
    )


async def test_hidden_reasoning_is_paid_though_nobody_hears_it():
    reply = Reply("<think>42? yes</think> Paris is it", cut_after=4, reasoning="Let me see. ")
    async with streaming(reply) as (_, _, hear):
        asked, heard = await hear()

    assert " Paris" == "".join(heard)[:6]
    written = "Let me see. <think>42? yes</think> Paris is"
    assert text_tokens(written) == asked.usage.output_tokens


async def test_a_call_that_is_cancelled_has_cost_what_was_heard():
    slow = Reply(SENTENCE, token_delay_s=0.02)
    async with (
        upstream({"m": slow}) as server,
        roster_of({"m": {"model": "m", "base_url": server.url}}) as roster,
    ):
        first = asyncio.Event()
        attempt = Attempt(listener=Listener(lambda _: first.set()))
        limits = {"deadline": Deadline.after(5), "timeout_s": 5, "attempt": attempt}
        pending = asyncio.create_task(ask(roster.get("m"), request(), **limits))
        await asyncio.wait_for(first.wait(), 5)
        pending.cancel()
        await asyncio.wait([pending])
        await server.until(lambda: server.disconnects == 1)

        told = cancelled(roster.get("m"), request(), attempt)

    assert 0 < told.usage.output_tokens == text_tokens(attempt.heard) < text_tokens(SENTENCE)


ERRORS = {
    "openai": b'data: {"error": {"message": "overloaded, sorry"}}\n\n',
    "anthropic": b'event: error\ndata: {"type": "error", "error": {"message": "overloaded, sorry"}}\n\n',
    "google": b'data: {"error": {"code": 503, "message": "overloaded, sorry"}}\n\n',
}


async def test_an_error_within_the_stream_is_told_in_the_providers_words(backend):
    reply = Reply(body=ERRORS[backend], headers={"Content-Type": "text/event-stream"})
    async with streaming(reply, backend) as (_, _, hear):
        asked, _ = await hear()

    assert (Status.FAILED, "STREAM_CUT") == (asked.status, asked.reason)
    assert "overloaded, sorry" in asked.reason_text


async def test_a_refused_stream_is_refused_as_a_call_is(backend):
    async with streaming(Reply(status=429, headers={"Retry-After": "7"}), backend) as (_, _, hear):
        asked, heard = await hear()

    assert ("RATE_LIMITED", []) == (asked.reason, heard)


async def test_a_server_that_does_not_stream_is_understood():
    whole = b'{"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}'
    async with streaming(Reply(body=whole)) as (_, _, hear):
        asked, heard = await hear()

    assert ("4", ["4"]) == (asked.reply.text, heard)


@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", b""])
async def test_the_end_mark_may_be_missing(end):
    body = (
        b': hello\n\ndata: {"choices": [{"delta": {"content": "4"}, "finish_reason": "stop"}]}\n\n'
    )
    reply = Reply(body=body + end, headers={"Content-Type": "text/event-stream"})
    async with streaming(reply) as (_, _, hear):
        asked, heard = await hear()

    assert ("4", ["4"], True) == (asked.reply.text, heard, asked.usage_estimated)


async def test_nobody_listening_means_no_stream():
    async with asking() as (server, put):
        await put()

    assert "stream" not in server.requests[0]


async def test_usage_is_asked_for():
    async with streaming(Reply(SENTENCE)) as (server, _, hear):
        await hear()

    assert {"include_usage": True} == server.requests[0]["stream_options"]


async def test_a_server_that_refuses_to_be_asked_for_usage_is_asked_without():
    said = b'{"message": {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs"}]}}'

    def mistral(body):
        return Reply(status=422, body=said) if "stream_options" in body else Reply(SENTENCE)

    async with streaming(mistral) as (server, _, hear):
        asked, heard = await hear()
        await hear()

    assert (SENTENCE, SENTENCE) == (asked.reply.text, "".join(heard))
    assert 3 == server.calls


async def test_a_stream_of_rubbish_is_not_understood():
    reply = Reply(body=b"data: {nope\n\n", headers={"Content-Type": "text/event-stream"})
    async with streaming(reply) as (_, _, hear):
        asked, _ = await hear()

    assert (Status.FAILED, "INVALID_REPLY") == (asked.status, asked.reason)


async def test_tool_calls_are_put_together():
    reply = Reply("", tool_calls=[("get_weather", {"city": "Paris"})])
    async with streaming(reply) as (_, _, hear):
        asked, _ = await hear(request(tools=(Tool("get_weather", "", {}),)))

    (call,) = asked.reply.tool_calls
    assert ("get_weather", '{"city": "Paris"}', "call_0") == (
        call.name,
        call.arguments_json,
        call.id,
    )
