"""Demand estimates what a prompt takes, on the high side, in any script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_svc.demand import TOKENS_PER_IMAGE, demand_of, text_tokens
from services.core.prompts import (
    Image,
    Message,
    OutputFormat,
    Params,
    Passage,
    Prompt,
    Tool,
    ToolResult,
)
from tests.unit.router.tiers import prompt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("a" * 40, 10, id="ASCII"),
        pytest.param("я" * 40, 20, id="Cyrillic"),
        pytest.param("字" * 40, 40, id="Han"),
        pytest.param("か" * 40, 40, id="kana"),
        pytest.param("한" * 40, 40, id="Hangul"),
        pytest.param("𠀀" * 40, 40, id="beyond the basic plane"),
    ],
)
def test_estimates_tokens_by_script(text, expected):
    assert expected == text_tokens(text)


@given(st.text(), st.text())
def test_a_longer_text_never_takes_fewer_tokens(one, other):
    assert text_tokens(one) <= text_tokens(one + other)


def test_counts_all_that_is_sent():
    base = demand_of(prompt("Hi"), complexity=0.0).input_tokens
    passages = prompt("Hi", passages=(Passage("p", "a" * 400),))
    tools = prompt("Hi", tools=(Tool("find", "a" * 400),))
    results = Prompt((*prompt("Hi").messages, Message("tool", (ToolResult("1", "a" * 400),))))

    for more in (passages, tools, results):
        assert demand_of(more, complexity=0.0).input_tokens >= base + 100


def test_sees_images():
    pictured = Prompt((Message("user", ("What?", Image(url="https://a.example/b.png"))),))

    found = demand_of(pictured, complexity=0.0)
    assert found.images
    assert found.input_tokens > TOKENS_PER_IMAGE


def test_expects_longer_prose_of_harder_prompts():
    easy, hard = (demand_of(prompt("Hi"), complexity=c).output_tokens for c in (0.1, 0.8))

    assert easy < hard


def test_expects_a_word_where_a_label_is_asked():
    labels = prompt("Hi", output_format=OutputFormat("labels", labels=("a", "b")))

    assert demand_of(labels, complexity=0.9).output_tokens < 20


def test_expects_no_more_than_the_caller_allows():
    assert (
        demand_of(prompt("Hi", params=Params(max_output_tokens=5)), complexity=0.5).output_tokens
        == 5
    )
