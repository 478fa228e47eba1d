"""A refusal opens by declining; saying `cannot` is not enough."""

# ruff: noqa: RUF001  (answers are written in their own scripts)

import pytest

from services.core.refusal import MAX_CHARS, refuses


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("I'm sorry, but I can't help with that.", id="English"),
        pytest.param("I’m unable to assist with that request.", id="curly apostrophe"),
        pytest.param("As an AI, I cannot provide medical advice.", id="as an AI"),
        pytest.param("I must respectfully decline.", id="declining"),
        pytest.param("Es tut mir leid, dabei kann ich nicht helfen.", id="German"),
        pytest.param("Ich kann dir dabei leider nicht helfen.", id="German, inverted"),
        pytest.param("Je suis désolé, je ne peux pas vous aider avec cela.", id="French"),
        pytest.param("Lo siento, pero no puedo ayudarte con eso.", id="Spanish"),
        pytest.param("Desculpe, não posso ajudar com isso.", id="Portuguese"),
        pytest.param("Mi dispiace, non posso aiutarti.", id="Italian"),
        pytest.param("К сожалению, я не могу помочь с этим.", id="Russian"),
        pytest.param("抱歉，我无法提供这方面的帮助。", id="Chinese"),
        pytest.param("申し訳ありませんが、そのご要望にはお応えできません。", id="Japanese"),
        pytest.param("죄송하지만 그 요청은 도와드릴 수 없습니다.", id="Korean"),
        pytest.param("عذرًا، لا يمكنني المساعدة في ذلك.", id="Arabic"),
    ],
)
def test_is_a_refusal(text):
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("Paris.", id="answer"),
        pytest.param("I cannot find an error: the function is correct.", id="cannot find"),
        pytest.param("You cannot divide by zero.", id="cannot divide"),
        pytest.param("Das kann ich nicht bestätigen: die Zahl ist falsch.", id="German cannot"),
        pytest.param("я не могу сказать плохого о фильме", id="Russian cannot"),
        pytest.param("抱歉让您久等了，答案是四。", id="Chinese apology"),
        pytest.param(
            "I can't create files, but here's the code:\n```\nx\n```", id="helps after all"
        ),
        pytest.param("I can't help with that. " + "But this is how. " * 100, id="long"),
        pytest.param("It is high. " * 20 + "I can't help with that.", id="only later on"),
    ],
)
def test_is_none(text):
    assert not refuses(text)


def test_only_a_short_text_says_no_more_than_no():
    assert MAX_CHARS > 1000
