"""Claude and Gemini are asked in their own words, and understood in ours."""

import orjson
import pytest

from services.core.answers import FinishReason, Status, Usage
from services.core.prompts import (
    Image,
    Message,
    OutputFormat,
    Params,
    Prompt,
    Tool,
    ToolCall,
    ToolResult,
)
from services.models import anthropic, google
from services.models.conversation import conversation
from services.models.usage import content_usage
from tests.unit.models.rosters import ModelRequest, asking, loaded, request
from tests.upstream import Reply

BOTH = pytest.mark.parametrize("backend", ["anthropic", "google"])
SPEC = loaded({"m": {"model": "m"}}).config.models["m"]
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "prompt_tokens_details": {"cached_tokens": 80},
    "completion_tokens_details": {"reasoning_tokens": 30},
}
WITH_TOOLS = Prompt(
    (
        Message("system", ("Be brief.",)),
        Message("user", ("Weather?", Image(data=b"png", media_type="image/png"))),
        Message("assistant", (ToolCall("weather", '{"city":"Paris"}', "c1"),)),
        Message("tool", (ToolResult("c1", "sunny"),)),
    ),
    tools=(Tool("weather", "The weather."),),
    params=Params(temperature=1.5, stop=("END",), seed=3),
)
LABELS = OutputFormat("labels", labels=("yes", "no"))


def claude_body(prompt):
    return anthropic.messages_body(conversation(ModelRequest(prompt)), prompt, SPEC)


def gemini_body(prompt):
    return google.content_body(conversation(ModelRequest(prompt)), prompt, SPEC)


CLAUDE_BLOCKS = {
    "model": "m",
    "system": "Be brief.",
    "max_tokens": 1024,
    "temperature": 1.0,
    "stop_sequences": ["END"],
    "tools": [
        {
            "name": "weather",
            "description": "The weather.",
            "input_schema": {"type": "object", "properties": {}},
        }
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Weather?"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "cG5n"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Paris"}}
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": "sunny",
                    "is_error": False,
                }
            ],
        },
    ],
}


def test_claude_gets_blocks():
    assert CLAUDE_BLOCKS == claude_body(WITH_TOOLS)


def test_gemini_gets_parts():
    expected = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "maxOutputTokens": 1024,
            "temperature": 1.5,
            "stopSequences": ["END"],
            "seed": 3,
        },
        "tools": [{"functionDeclarations": [{"name": "weather", "description": "The weather."}]}],
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "Weather?"},
                    {"inlineData": {"mimeType": "image/png", "data": "cG5n"}},
                ],
            },
            {
                "role": "model",
                "parts": [{"functionCall": {"name": "weather", "args": {"city": "Paris"}}}],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}
                ],
            },
        ],
    }

    assert expected == gemini_body(WITH_TOOLS)


def test_gemini_is_given_the_schema_of_labels():
    config = gemini_body(request(output_format=LABELS).prompt)["generationConfig"]

    assert "application/json" == config["responseMimeType"]
    assert ["yes", "no"] == config["responseJsonSchema"]["properties"]["label"]["enum"]


@BOTH
async def test_text_without_its_thoughts(backend):
    async with asking({"m": Reply("42", reasoning="6 x 7")}, backend=backend) as (_, ask):
        asked = await ask()

    assert (Status.ANSWERED, "42") == (asked.status, asked.reply.text)
    assert (FinishReason.STOP, "m") == (asked.reply.finish_reason, asked.reply.served_model)


@pytest.mark.parametrize(
    ("backend", "usage"),
    [("anthropic", Usage(100, 80, 50, 0)), ("google", Usage(100, 80, 50, 30))],
)
async def test_cached_and_reasoning_tokens_are_parts(backend, usage):
    async with asking({"m": Reply(usage=USAGE)}, backend=backend) as (_, ask):
        asked = await ask()

    assert usage == asked.usage


@BOTH
async def test_tool_calls(backend):
    async with asking(model="tool-call", backend=backend) as (_, ask):
        asked = await ask(request(tools=(Tool("get_weather"),)))

    (call,) = asked.reply.tool_calls
    assert ("get_weather", {"city": "Paris"}) == (call.name, orjson.loads(call.arguments_json))
    assert FinishReason.TOOL_CALLS is asked.reply.finish_reason


async def test_claude_gives_a_label_by_a_tool():
    script = {"m": Reply("", tool_calls=[("answer", {"label": "yes"})])}
    async with asking(script, backend="anthropic") as (server, ask):
        asked = await ask(request(output_format=LABELS))

        assert {"type": "tool", "name": "answer"} == server.requests[0]["tool_choice"]
    assert ("yes", ()) == (asked.reply.text, asked.reply.tool_calls)
    assert FinishReason.STOP is asked.reply.finish_reason


async def test_gemini_gives_a_label_as_json():
    async with asking({"m": Reply('{"label": "no"}')}, backend="google") as (_, ask):
        asked = await ask(request(output_format=LABELS))

    assert "no" == asked.reply.text


async def test_gemini_blocks_a_prompt_without_a_candidate():
    body = (
        b'{"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}}'
    )
    async with asking({"m": Reply(body=body)}, backend="google") as (_, ask):
        asked = await ask()

    assert FinishReason.CONTENT_FILTER is asked.reply.finish_reason
    assert 9 == asked.usage.input_tokens


@pytest.mark.parametrize(
    ("backend", "finish"), [("anthropic", "max_tokens"), ("google", "MAX_TOKENS")]
)
async def test_a_cut_off_answer_says_so(backend, finish):
    async with asking({"m": Reply(finish_reason=finish)}, backend=backend) as (_, ask):
        asked = await ask()

    assert FinishReason.LENGTH is asked.reply.finish_reason


@BOTH
async def test_a_reply_without_content_is_invalid(backend):
    async with asking({"m": Reply(body=b'{"error": {"message": "busy"}}')}, backend=backend) as (
        _,
        ask,
    ):
        asked = await ask()

    assert (Status.FAILED, "INVALID_REPLY") == (asked.status, asked.reason)
    assert "busy" in asked.reason_text


@pytest.mark.parametrize(
    ("backend", "header"), [("anthropic", "x-api-key"), ("google", "x-goog-api-key")]
)
async def test_the_key_travels_in_its_header(backend, header, monkeypatch):
    monkeypatch.setenv("GREMIUM_TEST_KEY", "sk-1")
    async with asking(backend=backend, api_key_env="GREMIUM_TEST_KEY") as (server, ask):
        await ask()

        assert "sk-1" == server.headers[0][header]


@BOTH
@pytest.mark.parametrize("value", [-5, "many", 9e18, True])
def test_usage_that_cannot_be_is_estimated(backend, value):
    told = {
        "anthropic": {"usage": {"input_tokens": value, "output_tokens": 2}},
        "google": {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": value}},
    }[backend]
    read = {"anthropic": anthropic.messages_reply, "google": google.content_reply}[backend]
    reply = read(told, request())

    assert (True, True) == (reply.usage_estimated, reply.usage.input_tokens > 0)


def test_gemini_leaves_out_counts_of_nothing():
    assert Usage(10, 0, 0, 0) == content_usage({"promptTokenCount": 10})


def test_a_log_probability_of_gemini_is_finite_or_none():
    candidate = {"content": {"parts": [{"text": "4"}]}, "avgLogprobs": float("-inf")}

    assert google.content_reply({"candidates": [candidate]}, request()).mean_logprob is None


@pytest.mark.parametrize(
    ("configured", "params", "sent"),
    [
        pytest.param(None, Params(top_p=0.5), (None, 0.5), id="mass alone"),
        pytest.param(0.3, Params(top_p=0.5), (None, 0.5), id="the caller's mass"),
        pytest.param(0.3, Params(), (0.3, None), id="the configured temperature"),
        pytest.param(0.3, Params(temperature=0.7, top_p=0.5), (0.7, None), id="both"),
        pytest.param(None, Params(temperature=0.0, top_p=0.5), (0.0, None), id="both, cold"),
    ],
)
def test_claude_gets_a_temperature_or_a_mass_but_never_both(configured, params, sent):
    spec = SPEC.model_copy(update={"temperature": configured})
    wanted = request(params=params)
    body = anthropic.messages_body(conversation(wanted), wanted.prompt, spec)

    assert sent == (body.get("temperature"), body.get("top_p"))
