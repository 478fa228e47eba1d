"""A lease says what it still allows; it is never below zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.lease import Call, Lease, Purse, output_limits


@pytest.mark.parametrize(
    ("lease", "free", "limit"),
    [
        pytest.param(Lease(), False, "", id="no limit"),
        pytest.param(Lease(1.0, 1, 1), False, "", id="something of everything"),
        pytest.param(Lease(model_calls=0), True, "model_calls", id="calls"),
        pytest.param(Lease(tokens=0), True, "tokens", id="tokens"),
        pytest.param(Lease(cost_usd=0.0), False, "cost_usd", id="money"),
        pytest.param(Lease(cost_usd=0.0), True, "", id="money that nobody needs"),
    ],
)
def test_names_the_limit_that_allows_no_further_call(lease, free, limit):
    assert limit == lease.exhausted(free=free)


def test_nothing_is_left_where_more_was_spent():
    assert Lease(0.0, 0, 0) == Lease(0.5, 1, 10).less(cost_usd=1.0, model_calls=2, tokens=11)


def test_no_limit_stays_none():
    assert Lease() == Lease().less(cost_usd=1.0, model_calls=1, tokens=1)


CALLS = st.lists(
    st.builds(
        Call,
        input_tokens=st.integers(0, 10_000),
        output_tokens=st.integers(1, 10_000),
        input_usd_per_mtok=st.floats(0.0, 100.0),
        output_usd_per_mtok=st.floats(0.0, 100.0),
    ),
    max_size=8,
)


@given(CALLS, st.floats(0.0, 1.0), st.integers(0, 50_000))
def test_what_calls_may_write_fits_the_lease(calls, cost_usd, tokens):
    limits = output_limits(calls, Lease(cost_usd=cost_usd, tokens=tokens))

    writing = [(call, most) for call, most in zip(calls, limits, strict=True) if most > 0]
    spent = sum(
        call.input_tokens * call.input_usd_per_mtok + most * call.output_usd_per_mtok
        for call, most in writing
    )
    assert spent <= cost_usd * 1e6 + 0.01
    assert sum(call.input_tokens + most for call, most in writing) <= tokens
    assert all(most <= call.output_tokens for call, most in writing)


@pytest.mark.parametrize(
    ("calls", "lease", "limits"),
    [
        pytest.param([], Lease(cost_usd=1.0), [], id="nobody"),
        pytest.param([Call(10, 99, 1.0, 1.0)] * 2, Lease(), [99, 99], id="no limit"),
        pytest.param([Call(10, 99)] * 2, Lease(cost_usd=0.0), [99, 99], id="free"),
        pytest.param(
            [Call(0, 900, 0.0, 1.0), Call(0, 100, 0.0, 1.0)],
            Lease(cost_usd=500e-6),
            [400, 100],
            id="what one does not need",
        ),
        pytest.param([Call(100, 900, 10.0, 1.0)], Lease(cost_usd=900e-6), [0], id="input too dear"),
        pytest.param([Call(100, 900, 1.0, 0.0)], Lease(cost_usd=100e-6), [900], id="free output"),
        pytest.param([Call(30, 50), Call(40, 50)], Lease(tokens=100), [20, 10], id="tokens"),
    ],
)
def test_splits_a_lease_over_calls(calls, lease, limits):
    assert limits == output_limits(calls, lease)


@pytest.mark.parametrize(
    ("wants", "may", "is_worth"), [(400, 16, True), (400, 15, False), (5, 5, True), (5, 4, False)]
)
def test_a_call_is_worth_its_input_where_it_may_write_enough(wants, may, is_worth):
    assert is_worth is Call(100, wants).is_worth(may)


RETRY = Call(100, 400, 1.0, 10.0)
"""Costs 0.0041 USD."""


class TestPurse:
    @pytest.mark.parametrize(
        "lease", [Lease(model_calls=2), Lease(tokens=1000), Lease(cost_usd=0.0082)]
    )
    def test_pays_for_as_many_calls_as_it_holds(self, lease):
        purse = Purse(lease)

        assert [True, True, False] == [purse.take(RETRY) for _ in range(3)]

    def test_pays_in_full_though_sums_are_not_exact(self):
        purse, call = Purse(Lease(cost_usd=0.3)), Call(100_000, 0, 1.0)

        assert [True, True, True, False] == [purse.take(call) for _ in range(4)]

    def test_without_limits_pays_for_everything(self):
        assert Purse(Lease()).take(RETRY)

    def test_a_refused_call_takes_nothing(self):
        purse = Purse(Lease(cost_usd=0.004, model_calls=5, tokens=5000))

        purse.take(RETRY)

        assert Lease(cost_usd=0.004, model_calls=5, tokens=5000) == purse.left

    def test_an_empty_purse_pays_for_what_is_free(self):
        assert Purse(Lease(cost_usd=0.0)).take(Call(100, 400))

    def test_gets_back_what_a_call_did_not_spend(self):
        purse = Purse(Lease(cost_usd=0.01, model_calls=3, tokens=1000))

        purse.take(RETRY)
        purse.put_back(RETRY, cost_usd=0.001, model_calls=1, tokens=110)

        assert Lease(cost_usd=pytest.approx(0.009), model_calls=2, tokens=890) == purse.left

    def test_gets_back_all_of_a_call_that_was_never_sent(self):
        purse = Purse(Lease(model_calls=1, tokens=500))

        purse.take(RETRY)
        purse.put_back(RETRY)

        assert Lease(model_calls=1, tokens=500) == purse.left

    def test_a_call_that_cost_more_than_its_dearest_is_paid_by_the_rest(self):
        purse = Purse(Lease(tokens=600))

        purse.take(RETRY)
        purse.put_back(RETRY, model_calls=1, tokens=550)

        assert 50 == purse.left.tokens
