"""A price list and token counts make a cost; texts make an estimate."""

from hypothesis import given
from hypothesis import strategies as st

from services.config.tree import Model, Price
from services.core.answers import Usage
from services.core.lease import Lease
from services.models.pricing import cost_usd, dearest, estimated_input, spare
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


def test_first_calls_that_take_all_of_a_lease_leave_nothing_for_retries():
    price = Price(input_usd_per_mtok=1000.0, output_usd_per_mtok=700.0)
    spec = Model(backend="openai", model="m", family="f", timeout_s=1, price=price)
    call = dearest(request(), spec)
    lease = Lease(cost_usd=3 * call.cost_usd - 1e-9, model_calls=3)

    purse = spare(lease, *[(request(), spec)] * 3)

    assert Lease(cost_usd=0.0, model_calls=0) == purse.left
