"""Replies and streams of the forms that the providers document are understood."""

import json

import pytest

from services.core.answers import FinishReason, Status, Usage
from services.core.prompts import Message, Prompt, Tool, ToolCall, ToolResult
from services.models import google
from services.models.conversation import conversation
from tests.unit.models.hearing import streaming
from tests.unit.models.rosters import ModelRequest, asking, loaded, request
from tests.upstream import Reply

WEATHER = request(tools=(Tool("get_weather"), Tool("get_time")))
ONCE = {"max_attempts": 1}


def stream(*events, comment=""):
    lines = [comment, *(f"data: {json.dumps(event)}\n\n" for event in events)]
    return Reply(body="".join(lines).encode(), headers={"Content-Type": "text/event-stream"})


def chunk(delta, finish=None, **more):
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def called(*calls):
    """Chunks of OpenAI's protocol with calls: place, id, name, arguments."""
    return [
        chunk({"tool_calls": [{"index": i, "id": d, "function": {"name": n, "arguments": a}}]})
        for i, d, n, a in calls
    ]


CLAUDE_CALLS = (
    {
        "type": "message_start",
        "message": {
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": "claude-x",
            "stop_reason": None,
            "usage": {
                "input_tokens": 20,
                "cache_creation_input_tokens": 50,
                "cache_read_input_tokens": 400,
                "output_tokens": 2,
            },
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "Eq"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Let me"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {}}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": " see."}},
    {"type": "content_block_stop", "index": 1},
    {"type": "something_new", "index": 7},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"city": "Kö'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": 'ln"}'}},
    {"type": "content_block_stop", "index": 2},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 89},
    },
    {"type": "message_stop"},
)  # fmt: skip


async def test_claude_thinks_says_something_and_calls_a_tool():
    async with streaming(stream(*CLAUDE_CALLS), "anthropic") as (_, _, hear):
        asked, heard = await hear(WEATHER)

    assert ["Let me", " see."] == heard
    assert (ToolCall("get_weather", '{"city":"Köln"}', "toolu_1"),) == asked.reply.tool_calls
    assert (FinishReason.TOOL_CALLS, "claude-x") == (
        asked.reply.finish_reason,
        asked.reply.served_model,
    )
    assert (Usage(470, 400, 89), False) == (asked.usage, asked.usage_estimated)


@pytest.mark.parametrize(
    ("backend", "body"),
    [
        ("anthropic", {"content": [{"type": "text", "text": "I"}], "stop_reason": "refusal"}),
        ("google", {"candidates": [{"finishReason": "SAFETY", "safetyRatings": []}]}),
        ("openai", {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}),
    ],
)
async def test_what_a_provider_withholds_is_filtered(backend, body):
    async with asking({"m": Reply(body=json.dumps(body).encode())}, backend=backend) as (_, ask):
        asked = await ask()

    assert FinishReason.CONTENT_FILTER is asked.reply.finish_reason


async def test_a_refusal_apart_from_the_content_is_heard_and_is_the_text():
    deltas = ({"role": "assistant", "content": None, "refusal": ""}, {"refusal": "I'm sorry, "})
    chunks = [*map(chunk, deltas), chunk({"refusal": "no."}), chunk({}, "stop")]
    async with streaming(stream(*chunks)) as (_, _, hear):
        asked, heard = await hear()

    assert ("I'm sorry, no.", ["I'm sorry, ", "no."]) == (asked.reply.text, heard)


TWO = (
    ToolCall("get_weather", '{"city": "Köln"}', "a"),
    ToolCall("get_time", '{"zone": "UTC"}', "b"),
)
WHOLE = [(call.id, call.name, call.arguments_json) for call in TWO]


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(
            called((0, "a", "get_weather", ""), (0, None, None, '{"city": '), (0, None, None, '"Köln"}'),
                   (1, "b", "get_time", ""), (1, None, None, '{"zone": "UTC"}')),
            id="in pieces",
        ),
        pytest.param(
            called((0, "a", "get_weather", '{"city": '), (0, "a", "get_weather", '"Köln"}'),
                   (1, "b", "get_time", '{"zone": '), (1, "c", None, '"UTC"}')),
            id="named again, or with another id that names nothing",
        ),
        pytest.param(called(*((0, *call) for call in WHOLE)), id="whole, all in one place"),
        pytest.param(called(*((None, *call) for call in WHOLE)), id="whole, without a place"),
    ],
)  # fmt: skip
async def test_parallel_calls_stay_apart_however_they_are_counted(chunks):
    async with streaming(stream(*chunks, chunk({}, "tool_calls"))) as (_, _, hear):
        asked, _ = await hear(WEATHER)

    told = [(call.name, call.arguments_json) for call in asked.reply.tool_calls]
    assert [(call.name, call.arguments_json) for call in TWO] == told


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"error": {"code": 502, "message": "the upstream broke"}}, "the upstream broke"),
        ({"finish_reason": "error"}, "error"),
        ({"finish_reason": "insufficient_system_resource"}, "insufficient_system_resource"),
    ],
)
async def test_a_reply_that_its_server_broke_off_is_none(choice, said):
    partial = {"message": {"content": "The answer is 4"}, "finish_reason": "stop", **choice}
    body = json.dumps({"choices": [partial]}).encode()
    async with asking({"m": Reply(body=body)}, retry=ONCE) as (_, ask):
        asked = await ask()

    assert (Status.FAILED, "STREAM_CUT") == (asked.status, asked.reason)
    assert said in asked.reason_text


async def test_a_stream_that_its_server_broke_off_is_none():
    chunks = stream(
        chunk({"content": "The answer"}), chunk({}, "error"), comment=": PROCESSING\n\n"
    )
    async with streaming(chunks) as (_, _, hear):
        asked, heard = await hear()

    assert ("STREAM_CUT", ["The answer"]) == (asked.reason, heard)


async def test_deepseek_counts_its_cache_in_words_of_its_own():
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_cache_hit_tokens": 64}
    async with asking({"m": Reply(usage=usage)}) as (_, ask):
        assert Usage(100, 64, 5) == (await ask()).usage


@pytest.mark.parametrize("ended", sorted(google.BROKEN_OFF))
@pytest.mark.parametrize("streams", [False, True])
async def test_words_before_a_call_that_gemini_broke_off_are_no_answer(ended, streams):
    parts = [{"text": "I will look that up."}]
    body = {"candidates": [{"content": {"parts": parts}, "finishReason": ended}]}
    reply = stream(body) if streams else Reply(body=json.dumps(body).encode())
    async with streaming(reply, "google", retry=ONCE) as (_, put, hear):
        asked = (await hear(WEATHER))[0] if streams else await put(WEATHER)

    assert (Status.FAILED, "INVALID_REPLY") == (asked.status, asked.reason)
    assert ended in asked.reason_text


@pytest.mark.parametrize(
    ("model", "signed"),
    [
        ("gemini-3-pro-preview", True),
        ("models/gemini-2.5-flash", False),
        ("gemini-flash-latest", True),
        ("gemini-2.0-flash", False),
        ("gemma-3-27b-it", False),
    ],
)
def test_calls_of_others_are_sent_to_gemini_without_a_signature_to_check(model, signed):
    turns = (
        Message("user", ("Weather?",)),
        Message("assistant", (ToolCall("get_weather", "{}", "1"),)),
        Message("tool", (ToolResult("1", "sunny"),)),
    )
    wanted = ModelRequest(Prompt(turns))
    spec = loaded({"m": {"model": model}}).config.models["m"]

    _, said, result = google.content_body(conversation(wanted), wanted.prompt, spec)["contents"]
    (call,), (told,) = said["parts"], result["parts"]
    assert signed is ("skip_thought_signature_validator" == call.get("thoughtSignature"))
    assert "thoughtSignature" not in told


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}
HELP = {"@type": "type.googleapis.com/google.rpc.Help", "links": []}


@pytest.mark.parametrize(
    ("details", "headers", "wait_s"),
    [
        ([HELP, RETRY_INFO], {}, 2.5),
        ([RETRY_INFO], {"Retry-After": "7"}, 7.0),
        ([{**RETRY_INFO, "retryDelay": 3}], {}, None),
        ([HELP], {}, None),
        ("none", {}, None),
    ],
)
async def test_gemini_says_in_the_body_how_long_it_wants_to_be_left_alone(details, headers, wait_s):
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota", "details": details}
    reply = Reply(status=429, body=json.dumps({"error": error}).encode(), headers=headers)
    async with asking({"m": reply}, backend="google", retry=ONCE, throttle={"bare_s": 0.1}) as (
        _,
        ask,
    ):
        asked = await ask()
        left_s = ask.roster.get("m").guard.throttle.left_s

    assert ("RATE_LIMITED", True) == (asked.reason, "quota" in asked.reason_text)
    assert left_s == pytest.approx(0.1 if wait_s is None else wait_s, abs=0.5)


async def test_a_claude_with_too_much_to_do_is_asked_again():
    busy = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    script = {"m": [Reply(status=529, body=json.dumps(busy).encode()), Reply("4")]}
    async with asking(script, backend="anthropic", retry={"backoff_s": 0.01}) as (server, ask):
        asked = await ask()

    assert ("4", 2, "HTTP_STATUS") == (asked.reply.text, server.calls, asked.attempts[0].reason)
