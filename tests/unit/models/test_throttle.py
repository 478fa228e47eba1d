"""A model is left alone for as long as its provider says, in whatever words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.config.care import Throttle as Policy
from services.models.throttle import MOST_S, Throttle, duration_s, exhausted_s
from tests.unit.models.clocks import Clock

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def throttle(**policy):
    clock = Clock()
    return Throttle(Policy(**policy), clock), clock


def test_keeps_away_for_as_long_as_it_was_told():
    made, clock = throttle()
    made.refused(47.0)
    assert 47.0 == made.left_s

    clock.pass_s(46.9)
    assert made.left_s > 0.0
    clock.pass_s(0.2)
    assert 0.0 == made.left_s


def test_a_bare_refusal_keeps_away_for_longer_each_time():
    made, clock = throttle(bare_s=1.0)
    for expected_s in (1.0, 2.0, 4.0):
        made.refused(None)
        assert expected_s == made.left_s
        clock.pass_s(expected_s)

    made.served()
    made.refused(None)
    assert 1.0 == made.left_s


def test_a_burst_of_refusals_counts_once():
    made, _ = throttle(bare_s=1.0)
    for _ in range(20):
        made.refused(None)

    assert 1.0 == made.left_s


def test_no_provider_can_keep_us_away_for_ever():
    made, _ = throttle(max_s=60.0)
    made.refused(1e9)

    assert 60.0 == made.left_s


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [
        ("1.5", 1.5),
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("2026-03-01T12:00:30Z", 30.0),
        ("2026-03-01T11:00:00Z", 0.0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        (str(NOW.timestamp() + 20.0), 20.0),
        (str(1000.0 * (NOW.timestamp() + 20.0)), 20.0),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("nan", None),
        ("6m0", None),
    ],
)
def test_reads_every_way_to_say_when(value, expected_s):
    read_s = duration_s(value, NOW)
    assert expected_s is read_s or expected_s == pytest.approx(read_s, abs=1e-3)


@pytest.mark.parametrize(
    ("headers", "expected_s"),
    [
        pytest.param({}, 0.0, id="none"),
        pytest.param(
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1m0s",
            },
            1.0,
            id="a bucket that fills by one a second",
        ),
        pytest.param(
            {"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "1m0s"},
            0.0,
            id="something is left",
        ),
        pytest.param(
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-03-01T12:01:00Z",
            },
            1.2,
            id="anthropic",
        ),
        pytest.param(
            {
                "x-ratelimit-limit-tokens": "10000",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "20s",
            },
            2.0,
            id="tokens",
        ),
        pytest.param(
            {"ratelimit-limit": "5", "ratelimit-remaining": "0", "ratelimit-reset": "9"},
            9.0,
            id="a window",
        ),
        pytest.param({"ratelimit-remaining": "0"}, 0.0, id="nobody said until when"),
        pytest.param({"ratelimit-remaining": "x", "ratelimit-reset": "9"}, 0.0, id="nonsense"),
    ],
)
def test_heeds_the_headers(headers, expected_s):
    assert expected_s == pytest.approx(exhausted_s(headers, NOW))


def test_a_reply_with_nothing_left_keeps_the_next_call_away():
    made, _ = throttle()
    made.heed({"ratelimit-remaining": "0", "ratelimit-reset": "9"})
    assert 9.0 == made.left_s

    made.heed({"ratelimit-remaining": "3", "ratelimit-reset": "1"})
    assert 9.0 == made.left_s


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("9" * 5000 + "s", MOST_S, id="more than a float"),
        pytest.param("1e300", MOST_S, id="as a moment"),
        pytest.param("9999-12-31T23:59:59Z", MOST_S, id="as a date"),
        pytest.param("Mon, 01 Jan 2024 00:00:00 +99999999999999", None, id="no zone"),
    ],
)
def test_nobody_waits_for_ages(value, expected):
    assert expected == duration_s(value, NOW)


@given(st.text(st.sampled_from("0123456789 .:+-,eTZhms"), max_size=24) | st.text(max_size=24))
def test_reads_any_time_or_none(value):
    told_s = duration_s(value, NOW)

    assert told_s is None or 0.0 <= told_s <= MOST_S
