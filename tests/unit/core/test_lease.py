"""A lease says what it still allows; it is never below zero."""

import pytest

from services.core.lease import Lease


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
