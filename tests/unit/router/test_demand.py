"""Demand estimates what a prompt takes, on the high side."""

from router_svc.demand import demand_of
from services.core.prompts import (
    TOKENS_PER_IMAGE,
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
