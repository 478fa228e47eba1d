"""A prompt is worth all that is sent with it, and is counted once however many ask."""

from services.core import prompts
from services.core.prompts import Message, Passage, Prompt, Tool, ToolCall, ToolResult
from services.core.tokens import text_tokens

CALL = ToolCall("find", '{"q": 1}', id="1")
PROMPT = Prompt(
    (
        Message("user", ("What is it?",)),
        Message("assistant", (CALL,)),
        Message("tool", (ToolResult("1", "found"),)),
    ),
    tools=(Tool("find", "Finds things."),),
    passages=(Passage("p", "It is that."),),
)
TEXTS = ("What is it?", CALL.name, CALL.arguments_json, "found", "find", "Finds things.", "{}")


def test_counts_turns_tools_and_passages():
    texts = sum(map(text_tokens, (*TEXTS, "It is that.")))

    assert texts + 4 * prompts.TOKENS_PER_MESSAGE == PROMPT.tokens


def test_is_counted_once(monkeypatch):
    counted = []
    monkeypatch.setattr(prompts, "text_tokens", lambda text: counted.append(text) or 1)
    asked = Prompt((Message("user", ("What is it?",)),))

    assert asked.tokens == asked.tokens
    assert ["What is it?"] == counted


def test_what_was_counted_makes_no_difference():
    counted, fresh = (Prompt((Message("user", ("What is it?",)),)) for _ in range(2))

    assert counted.tokens
    assert fresh == counted
    assert repr(fresh) == repr(counted)
