"""What an OpenAI-compatible model says of tokens and costs is believed only where it can be."""

import pytest

from services.core.answers import Status, Usage
from services.core.tokens import text_tokens
from services.models.usage import chat_usage
from tests.unit.models.rosters import asking
from tests.upstream import Reply


def test_cached_and_reasoning_tokens_are_parts():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 80},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }

    assert Usage(100, 80, 50, 30) == chat_usage(usage)


def test_reasoning_that_only_the_total_counts_is_billed():
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 45,
        "completion_tokens_details": {"reasoning_tokens": 30},
    }

    assert Usage(10, 0, 35, 30) == chat_usage(usage)


ABSURD = [-5, "many", None, True, 9e18]


@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens"])
@pytest.mark.parametrize("value", ABSURD)
async def test_usage_that_cannot_be_is_estimated(name, value):
    usage = {"prompt_tokens": 10, "completion_tokens": 2, name: value}
    price = {"input_usd_per_mtok": 9.0, "output_usd_per_mtok": 9.0}
    async with asking({"m": Reply("forty-two", usage=usage)}, price=price) as (_, ask):
        asked = await ask()

    assert (Status.ANSWERED, True) == (asked.status, asked.usage_estimated)
    assert (text_tokens("forty-two"), True) == (asked.usage.output_tokens, asked.cost_usd > 0)


async def test_nobody_reads_a_prompt_in_no_tokens():
    async with asking({"m": Reply(usage={"prompt_tokens": 0, "completion_tokens": 0})}) as (_, ask):
        asked = await ask()

    assert (True, True) == (asked.usage_estimated, asked.usage.input_tokens > 0)


@pytest.mark.parametrize("value", ABSURD)
def test_details_that_cannot_be_are_left_out(value):
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "total_tokens": value,
        "prompt_tokens_details": {"cached_tokens": value},
        "completion_tokens_details": {"reasoning_tokens": value},
    }

    assert Usage(10, 0, 2, 0) == chat_usage(usage)


async def test_usage_that_is_not_given_is_estimated():
    async with asking({"m": Reply("forty-two", usage=None)}) as (_, ask):
        asked = await ask()

    assert asked.usage_estimated
    assert asked.usage.input_tokens > 0
    assert asked.usage.output_tokens > 0


async def test_cached_input_is_billed_as_such():
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 600},
    }
    price = {
        "input_usd_per_mtok": 2.0,
        "cached_input_usd_per_mtok": 0.5,
        "output_usd_per_mtok": 8.0,
    }
    async with asking({"m": Reply(usage=usage)}, price=price) as (_, ask):
        asked = await ask()

    assert pytest.approx((400 * 2.0 + 600 * 0.5 + 100 * 8.0) / 1e6) == asked.cost_usd


def costing(cost):
    return Reply(usage={"prompt_tokens": 10, "completion_tokens": 2, "cost": cost})


async def test_a_cost_that_the_provider_names_counts_without_a_price():
    async with asking({"m": costing(0.0123)}) as (_, ask):
        asked = await ask()

    assert 0.0123 == asked.cost_usd


@pytest.mark.parametrize("cost", [0, 0.0123, 1e308])
async def test_a_configured_price_outranks_what_the_provider_says(cost):
    async with asking({"m": costing(cost)}, price={"input_usd_per_mtok": 9.0}) as (_, ask):
        asked = await ask()

    assert pytest.approx(10 * 9.0 / 1e6) == asked.cost_usd


@pytest.mark.parametrize("cost", [1e308, -1, "much", True])
async def test_a_cost_that_cannot_be_is_ignored(cost):
    async with asking({"m": costing(cost)}) as (_, ask):
        asked = await ask()

    assert (Status.ANSWERED, 0.0) == (asked.status, asked.cost_usd)
