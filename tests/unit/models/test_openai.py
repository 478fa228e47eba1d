"""An OpenAI-compatible model is asked in its words, and understood in ours."""

import orjson
import pytest

from services.core.answers import FinishReason, Status, Usage
from services.core.prompts import (
    Image,
    Message,
    OutputFormat,
    Params,
    Passage,
    Prompt,
    Tool,
    ToolCall,
    ToolResult,
)
from services.core.tokens import text_tokens
from services.models.conversation import answer_text, conversation
from services.models.openai import chat_body, chat_reply, is_strict
from tests.unit.models.rosters import ModelRequest, asking, loaded, request
from tests.upstream import Reply

SPEC = loaded({"m": {"model": "m", "temperature": 0.2}}).config.models["m"]


def body(wanted, *, host="localhost:8080"):
    return chat_body(conversation(wanted), wanted.prompt, SPEC, host=host)


def test_sends_only_what_is_set():
    expected = {
        "model": "m",
        "messages": [{"role": "user", "content": "6 x 7?"}],
        "max_tokens": 1024,
        "temperature": 0.2,
    }

    assert expected == body(request())


def test_the_request_outranks_the_configuration():
    params = Params(temperature=0.9, top_p=0.5, max_output_tokens=7, seed=3, stop=("END",))

    sent = body(request(params=params))

    assert (0.9, 0.5, 7, 3, ["END"]) == tuple(
        sent[name] for name in ("temperature", "top_p", "max_tokens", "seed", "stop")
    )


def test_openai_itself_takes_another_limit():
    sent = body(request(), host="api.openai.com")

    assert 1024 == sent["max_completion_tokens"]
    assert "max_tokens" not in sent


def test_all_instructions_make_one_system_turn():
    turns = (Message("system", ("Be brief.",)), Message("user", ("Hi",)))

    sent = body(ModelRequest(Prompt(turns), instruction="You are a lawyer."))

    assert [
        {"role": "system", "content": "You are a lawyer.\n\nBe brief."},
        {"role": "user", "content": "Hi"},
    ] == sent["messages"]


def test_images_travel_as_parts():
    turn = Message("user", ("What is it?", Image(data=b"png", media_type="image/png")))

    sent = body(ModelRequest(Prompt((turn,))))

    assert [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}},
    ] == sent["messages"][0]["content"]


def test_tool_calls_without_ids_are_matched_to_their_results():
    turns = (
        Message("user", ("Weather?",)),
        Message("assistant", (ToolCall("weather", '{"city":"Paris"}'),)),
        Message("tool", (ToolResult("", "sunny"),)),
    )

    _, called, result = body(ModelRequest(Prompt(turns)))["messages"]

    assert called["tool_calls"][0]["id"] == result["tool_call_id"] == "call_1"
    assert ("tool", "sunny") == (result["role"], result["content"])
    assert called["content"] is None


def test_a_tool_without_arguments_still_has_a_schema():
    sent = body(request(tools=(Tool("now", "The time."),)))

    assert {"type": "object", "properties": {}} == sent["tools"][0]["function"]["parameters"]


def test_passages_stand_before_the_question():
    content = body(request(passages=(Passage("p1", "Water boils at 100 °C."),)))["messages"][0]

    assert content["content"].index("[p1]") < content["content"].index("6 x 7?")


def test_labels_are_enforced_by_a_schema():
    wanted = request(output_format=OutputFormat("labels", labels=("yes", "no")))

    sent = body(wanted)

    schema = sent["response_format"]["json_schema"]
    assert ["yes", "no"] == schema["schema"]["properties"]["label"]["enum"]
    assert schema["strict"] is True
    assert "yes, no" in sent["messages"][0]["content"]


def test_any_json_is_asked_for_as_an_object():
    sent = body(request(output_format=OutputFormat("json")))

    assert {"type": "json_object"} == sent["response_format"]


def test_tools_are_not_hindered_by_a_schema():
    wanted = request(output_format=OutputFormat("json", schema={}), tools=(Tool("now"),))

    assert "response_format" not in body(wanted)


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        pytest.param({"type": "string"}, True, id="no object"),
        pytest.param({"type": "object"}, False, id="open"),
        pytest.param(
            {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
            False,
            id="optional field",
        ),
        pytest.param(
            {
                "type": "object",
                "properties": {"a": {"type": "object"}},
                "required": ["a"],
                "additionalProperties": False,
            },
            False,
            id="open inside",
        ),
    ],
)
def test_only_closed_schemas_are_strict(schema, strict):
    assert strict is is_strict(schema)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("42", "42"),
        ("<think>6 x 7 = 42</think>\n42", "42"),
        ("<think>6 x 7 = ", ""),
        ("The tag <think> opens it.", "The tag <think> opens it."),
    ],
)
def test_thinking_is_no_text_but_was_written(written, text):
    choice = {"message": {"content": written}}
    reply = chat_reply({"choices": [choice]}, choice, request())

    assert text == reply.text
    assert text_tokens(written) == reply.usage.output_tokens


def test_asks_for_log_probabilities_only_where_it_is_told_to():
    told = SPEC.model_copy(update={"logprobs": True})

    assert "logprobs" not in body(request())
    assert chat_body(conversation(request()), request().prompt, told, host="h")["logprobs"] is True


@pytest.mark.parametrize(
    ("told", "mean"),
    [
        pytest.param([-0.5, -1.5], -1.0, id="mean over the tokens"),
        pytest.param([1e-9], 0.0, id="rounding"),
        pytest.param([-0.5, None], -0.5, id="a token without"),
        pytest.param([float("nan")], None, id="no number"),
        pytest.param([-1.7e308, -1.7e308], None, id="no finite mean"),
        pytest.param([], None, id="none"),
    ],
)
def test_reads_the_mean_log_probability(told, mean):
    content = [{"token": "x", "logprob": value} for value in told]
    choice = {"message": {"content": "x"}, "logprobs": {"content": content}}

    assert mean == chat_reply({"choices": [choice]}, choice, request()).mean_logprob


async def test_reads_text_finish_usage_and_the_served_model():
    async with asking({"m": Reply("42", served_model="m-2026-01")}) as (_, ask):
        asked = await ask()

    assert Status.ANSWERED is asked.status
    assert ("42", FinishReason.STOP, "m-2026-01") == (
        asked.reply.text,
        asked.reply.finish_reason,
        asked.reply.served_model,
    )
    assert (Usage(10, 0, 2, 0), False, 1) == (asked.usage, asked.usage_estimated, asked.model_calls)


async def test_a_label_comes_without_its_wrapping():
    wanted = request(output_format=OutputFormat("labels", labels=("yes", "no")))
    async with asking({"m": Reply('{"label": "yes"}')}) as (_, ask):
        asked = await ask(wanted)

    assert "yes" == asked.reply.text


async def test_reads_tool_calls():
    async with asking(model="tool-call") as (_, ask):
        asked = await ask(request(tools=(Tool("get_weather"),)))

    (call,) = asked.reply.tool_calls
    assert ("get_weather", {"city": "Paris"}) == (call.name, orjson.loads(call.arguments_json))
    assert FinishReason.TOOL_CALLS is asked.reply.finish_reason


async def test_hidden_reasoning_is_no_text():
    async with asking(model="thinking") as (_, ask):
        asked = await ask()

    assert ("", FinishReason.LENGTH) == (asked.reply.text, asked.reply.finish_reason)


MAY = OutputFormat("labels", labels=("yes", "no"), may_abstain=True)


def test_who_may_abstain_is_told_so_and_can():
    sent = body(request(output_format=MAY))

    label = sent["response_format"]["json_schema"]["schema"]["properties"]["label"]
    assert {"type": ["string", "null"], "enum": ["yes", "no", None]} == label
    assert sent["messages"][0]["content"].startswith("If you do not know, or none is right,")


@pytest.mark.parametrize("kind", ["number", "json"])
def test_who_may_abstain_is_told_so_in_every_shape(kind):
    told, untold = (
        body(request(output_format=OutputFormat(kind, may_abstain=may)))["messages"][0]["content"]
        for may in (True, False)
    )

    assert f"If you do not know, or none is right, answer with null. {untold}" == told


def test_a_label_that_is_null_abstains():
    assert "null" == answer_text('{"label": null}', MAY)
