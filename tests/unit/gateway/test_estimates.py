"""What a request may cost at most is known before anybody is asked."""

from dataclasses import replace

import pytest

from gremium.v1 import types_pb2
from services.config.tree import Config, Price
from services.gateway import estimates
from services.runtime.wire import prompt_from_wire
from tests.cases import PROMPT, case, tier

USD = Price(input_usd_per_mtok=0.0, output_usd_per_mtok=1000.0)
"""Every token written costs 0.001 US dollars."""


def priced(asked, **fields):
    models = {n: m.model_copy(update={"price": USD, **fields}) for n, m in asked.models.items()}
    return replace(asked, models=models)


def test_every_juror_of_every_tier_and_its_judge_count():
    asked = priced(case(tier("small", seats=2), tier("large")), max_output_tokens=100)

    assert 0.5 == pytest.approx(estimates.possible_usd(asked))


def test_an_answer_costs_no_more_than_the_request_lets_it_have():
    asked = priced(case(judge=None), max_output_tokens=1000)
    asked.asked.prompt.params.CopyFrom(types_pb2.GenerationParams(max_output_tokens=10))

    assert 0.01 == pytest.approx(estimates.possible_usd(asked))


def test_comparisons_in_both_orders_count():
    judged = {"aggregate": {"method": "weighted"}}
    asked = priced(case(tier("small", seats=3), **judged), max_output_tokens=100)

    assert 0.1 * (3 + 1 + 3 * 2) == pytest.approx(estimates.possible_usd(asked))


def test_whoever_may_write_one_answer_out_of_several_counts():
    writers = {"synthesis": {"models": ["small", "judge"], "max_output_tokens": 40}}
    asked = priced(case(tier("small", seats=2), tier("large"), **writers), max_output_tokens=100)

    assert 0.5 + 2 * 0.04 == pytest.approx(estimates.possible_usd(asked))


def test_what_a_step_reads_of_others_is_paid_for():
    model = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5}
    model["price"] = {"input_usd_per_mtok": 1000.0}
    steps = {
        "first": {"model": "m"},
        "second": {"model": "m", "goal": "{first}", "depends_on": ["first"]},
    }
    config = Config(
        models={"m": {**model, "max_output_tokens": 500}},
        ensembles={"main": {"pattern": "specialists", "steps": steps}},
    )
    asked = replace(case(), ensemble=config.ensembles["main"], models=config.models)

    both = estimates.possible_usd(asked)

    alone = estimates.reading(asked).prompt_tokens / 1000
    assert both > 2 * alone + 0.5
    assert PROMPT == asked.prompt


def planned(**more):
    """A case whose plan is made for the question; a million tokens cost a million."""
    priced_model = {
        "backend": "openai",
        "model": "m",
        "family": "f",
        "timeout_s": 5.0,
        "max_output_tokens": 500,
        "price": {"input_usd_per_mtok": 1e6, "output_usd_per_mtok": 1e6},
    }
    team = {
        "pattern": "specialists",
        "specialists": {"one": {"model": "m"}},
        "direct": {"model": "m"},
        "merge": {"model": "m"},
        **more,
    }
    config = Config(models={"m": priced_model}, ensembles={"main": team})
    return replace(case(), ensemble=config.ensembles["main"], models=config.models)


def test_a_plan_that_is_made_may_have_as_many_steps_as_any():
    read = estimates.reading(planned())

    usd = estimates.possible_usd(planned())

    assert usd > 13 * (read.prompt_tokens + read.writes("m"))
    assert usd + 2 * read.prompt_tokens < estimates.possible_usd(planned(planner={"model": "m"}))


def test_knows_whether_somebody_answers_for_nothing():
    asked = case(judge=None)

    assert estimates.has_free_juror(asked)
    assert not estimates.has_free_juror(priced(asked))


def test_a_prompt_is_counted_once(monkeypatch):
    read = []
    monkeypatch.setattr(
        "services.gateway.case.prompt_from_wire", lambda p: read.append(p) or prompt_from_wire(p)
    )
    asked = case()

    assert estimates.reading(asked) == estimates.reading(asked)
    assert [PROMPT] == read


def test_another_prompt_of_the_request_is_counted_anew():
    asked, longer = case(), types_pb2.Prompt()
    longer.CopyFrom(PROMPT)
    longer.messages[0].parts.add(text="a" * 400)

    assert asked.prompt_tokens + 100 == asked.asking(longer).prompt_tokens
