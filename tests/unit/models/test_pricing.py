"""A price list and token counts make a cost; texts make an estimate."""

from hypothesis import given
from hypothesis import strategies as st

from services.config.tree import Price
from services.core.answers import Usage
from services.models.pricing import cost_usd, estimated_input
from tests.unit.models.rosters import request

COUNT = st.integers(0, 10**9)


def test_without_a_price_cached_input_costs_as_any():
    price = Price(input_usd_per_mtok=2.0)

    assert cost_usd(Usage(100, 50), price) == cost_usd(Usage(100), price)


@given(COUNT, COUNT, COUNT)
def test_cost_is_never_negative_and_caching_never_dearer(read, cached, written):
    price = Price(input_usd_per_mtok=2.0, cached_input_usd_per_mtok=0.5, output_usd_per_mtok=8.0)

    cost = cost_usd(Usage(read, cached, written), price)

    assert 0.0 <= cost <= cost_usd(Usage(read, 0, written), price)


def test_instruction_and_question_are_both_read():
    alone = estimated_input(request()).input_tokens

    assert estimated_input(request(instruction="Think twice.")).input_tokens > alone
