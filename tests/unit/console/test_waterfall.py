"""Everyone who took part is on one axis, and the deadline is where it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gremium.v1 import manifest_pb2
from services.gateway.console.waterfall import stages_at_work, ticks, waterfall
from tests.unit.console.manifests import (
    ANSWERED,
    BEGAN_S,
    FAILED,
    JUDGE,
    JURY,
    ROUTER,
    SKIPPED,
    at,
    lasting,
    manifest,
    part,
)

NOW_NS = (BEGAN_S + 3) * 10**9


def laid(*parts, axis=None, **fields):
    return waterfall(manifest(*parts, **fields), now_ns=NOW_NS, axis=axis)


def rows(fall):
    return [row for group in fall.groups for row in group.rows]


def test_a_bar_begins_and_ends_in_proportion_to_the_axis():
    fall = laid(part(name="a", start_s=2.6, took_s=5.2), took_s=7.8, timeout_s=10.0)

    (bar,) = rows(fall)[0].bars
    assert 10.4 == pytest.approx(fall.axis_s)
    assert (25.0, 50.0, "answered") == (bar.left, bar.width, bar.look)
    assert 100 / 1.04 == pytest.approx(fall.deadline_at)


def test_work_that_takes_little_of_the_deadline_makes_its_own_axis():
    fall = laid(part(name="a", took_s=0.5), took_s=0.5, timeout_s=60.0)

    assert ("work", None) == (fall.axis, fall.deadline_at)
    assert 0.5 / 60 == pytest.approx(fall.used)


def test_the_whole_axis_can_be_asked_for():
    fall = laid(part(name="a", took_s=0.5), took_s=0.5, timeout_s=60.0, axis="deadline")

    assert 100 / 1.04 == pytest.approx(fall.deadline_at)


def test_what_ends_after_the_deadline_is_drawn_beyond_its_mark():
    fall = laid(part(name="a", took_s=12.0), took_s=12.0, timeout_s=10.0)

    (bar,) = rows(fall)[0].bars
    assert bar.left + bar.width > fall.deadline_at


def test_what_is_at_work_ends_now():
    at_work = part(name="a", start_s=1.0, took_s=None, status=0)
    in_progress = manifest_pb2.MANIFEST_STATE_IN_PROGRESS
    fall = laid(at_work, took_s=None, state=in_progress)

    assert ("running", "at work", 2.0) == (
        rows(fall)[0].look,
        rows(fall)[0].status,
        rows(fall)[0].took_s,
    )
    assert (None, 3.0) == (fall.ended_at, fall.took_s)


def test_each_call_of_several_has_a_bar_within_the_whole():
    attempts = [
        manifest_pb2.Attempt(status=FAILED, start_time=at(0.0), duration=lasting(1.0)),
        manifest_pb2.Attempt(
            status=ANSWERED, start_time=at(1.5), duration=lasting(1.0), hedge=True
        ),
    ]
    fall = laid(part(name="a", took_s=2.5, attempts=attempts))

    whole, first, second = rows(fall)[0].bars
    assert ("failed", False, "answered", True) == (
        *(first.look, first.hedge),
        *(second.look, second.hedge),
    )
    assert whole.left == first.left < second.left


def test_who_was_not_asked_has_no_bar():
    fall = laid(part(name="a", took_s=None, status=SKIPPED, reason="NO_BUDGET"))

    assert ((), None, "skipped") == (rows(fall)[0].bars, rows(fall)[0].took_s, rows(fall)[0].look)


def test_tiers_are_groups_in_the_order_in_which_they_were_at_work():
    fall = laid(
        part(ROUTER),
        part(JURY, "a", tier="small"),
        part(JURY, "b", tier="large"),
        part(JUDGE, "j", tier="small"),
    )

    assert [("", 1), ("small", 2), ("large", 1)] == [(g.name, len(g.rows)) for g in fall.groups]


def test_the_answer_that_was_given_is_told_from_another_tiers_juror_of_that_name():
    fall = laid(
        part(JURY, "a", tier="small"),
        part(JURY, "a", tier="large"),
        chosen_juror="a",
        chosen_tier="large",
    )

    assert [False, True] == [row.given for row in rows(fall)]


def test_in_a_graph_the_step_tells_whose_answer_was_given():
    chosen = {"chosen_juror": "a", "chosen_step": "both", "chosen_tier": "jury"}
    fall = laid(part(JURY, "a", tier="facts"), part(JURY, "a", tier="both"), **chosen)

    assert [False, True] == [row.given for row in rows(fall)]


@given(st.floats(min_value=1e-3, max_value=4000.0))
def test_an_axis_has_few_round_ticks(axis_s):
    found = ticks(axis_s)

    assert 0.0 == found[0]
    assert 3 <= len(found) <= 12
    assert found[-1] <= axis_s * (1 + 1e-9)


@given(st.lists(st.tuples(st.floats(-5.0, 90.0), st.floats(0.0, 90.0)), max_size=6))
def test_no_bar_leaves_the_axis(spans):
    fall = laid(*(part(name="a", start_s=start, took_s=took) for start, took in spans))

    bars = [bar for row in rows(fall) for bar in row.bars]
    assert all(0 <= bar.left and bar.left + bar.width <= 100.001 for bar in bars)


def test_a_request_without_a_deadline_has_no_mark():
    fall = laid(part(name="a"), timeout_s=0.0)

    assert (None, None) == (fall.deadline_at, fall.used)


def test_what_a_request_waits_for_is_said_once_and_shortly():
    at_work = [part(JURY, tier=tier) for tier in ("small", "small", "jury")]

    assert "jury of small, jury, router" == stages_at_work([*at_work, part(ROUTER)])
