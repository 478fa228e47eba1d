"""Each stage gets the time that is left, less what the stages after it need."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway import reserves

seconds = st.floats(min_value=0.0, max_value=3600.0)
latencies = st.lists(st.floats(min_value=0.0, max_value=600.0), min_size=1, max_size=16)


def test_shares_make_a_whole():
    shares = (
        reserves.ROUTER_SHARE,
        reserves.JURY_SHARE,
        reserves.JUDGE_SHARE,
        reserves.REPLY_SHARE,
    )

    assert pytest.approx(1.0) == sum(shares)


@given(seconds, seconds)
def test_the_router_never_gets_more_than_is_left(left_s, allowed_s):
    assert 0.0 <= reserves.router_s(left_s, allowed_s=allowed_s) <= left_s


@given(seconds, seconds, latencies)
def test_a_window_leaves_time_for_the_reply(left_s, allowed_s, latencies_s):
    window_s = reserves.window_s(left_s, allowed_s=allowed_s, latencies_s=latencies_s)

    assert 0.0 <= window_s <= max(0.0, left_s - reserves.reply_s(allowed_s)) + 1e-9


def test_tiers_share_the_time_by_their_expected_latency():
    assert 4.0 == pytest.approx(
        reserves.window_s(20.25, allowed_s=20.25, latencies_s=[1.0, 2.0, 2.0])
    )


def test_tiers_of_unknown_latency_share_it_evenly():
    assert 10.0 == pytest.approx(reserves.window_s(20.25, allowed_s=20.25, latencies_s=[0.0, 5.0]))


@given(seconds, seconds)
def test_a_judge_is_kept_no_more_than_it_may_take(window_s, timeout_s):
    assert 0.0 <= reserves.judge_s(window_s, timeout_s=timeout_s) <= min(window_s, timeout_s)
