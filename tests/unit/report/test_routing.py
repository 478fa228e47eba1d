"""Requests that went too dear are weighed by how likely they were looked at; too cheap ones are counted."""

import pytest

from services.report.routing import routing_of
from services.report.shadows import Shadow
from tests.unit.report.voting import request


def shadow(number=0, **changed):
    told = {
        "request_id": f"r-{number}",
        "ensemble": "thrifty",
        "used": "large",
        "cheaper": "small",
        "propensity": 0.5,
        "enough": True,
        "method": "ballots",
        "used_usd": 0.05,
        "cheaper_usd": 0.01,
        "spent_usd": 0.01,
        "start_s": 0.0,
    }
    return Shadow(**{**told, **changed})


def requests(n, **changed):
    return [request(i, **changed) for i in range(n)]


def test_an_ensemble_without_tiers_has_no_routing():
    assert routing_of(requests(50, pattern="jury"), []) is None


def test_of_nothing_shadowed_nothing_is_told():
    found = routing_of(requests(50), [])

    assert found.over.insufficient
    assert found.saved_usd.insufficient
    assert found.regret_usd.insufficient


def test_the_over_provisioned_share_is_that_of_the_shadows():
    found = routing_of(requests(100), [shadow(i, enough=i % 4 == 0) for i in range(40)])

    assert 0.25 == found.over.value
    assert 40 == found.over.n


def test_a_shadow_counts_for_as_many_requests_as_it_was_unlikely_to_be_drawn():
    rare = [shadow(i, propensity=0.1, enough=True) for i in range(20)]
    usual = [shadow(20 + i, propensity=1.0, enough=False) for i in range(20)]

    found = routing_of(requests(220), [*rare, *usual])

    assert pytest.approx(200 / 220) == found.over.value
    assert pytest.approx(220 * 200 / 220 * 0.04) == found.saved_usd.value


def test_what_was_not_compared_is_left_out():
    compared = [shadow(i) for i in range(30)]
    left = [shadow(30 + i, enough=None, method="", spent_usd=0.02) for i in range(30)]

    found = routing_of(requests(60), [*compared, *left])

    assert (1.0, 30) == (found.over.value, found.over.n)
    assert {"ballots": 30, "": 30} == found.compared
    assert pytest.approx(30 * 0.01 + 30 * 0.02) == found.shadow_usd


def test_a_dearer_answer_that_was_needed_saves_nothing():
    found = routing_of(requests(40), [shadow(i, enough=False) for i in range(40)])

    assert 0.0 == found.saved_usd.value


def escalated(number, usd=0.002):
    return request(
        number,
        tiers=("small", "large"),
        tier_usd={"small": usd, "large": 0.05},
        in_vain_usd=usd,
    )


def test_the_under_provisioned_share_is_that_of_the_escalations():
    found = routing_of([*map(escalated, range(10)), *requests(30)], [])

    assert 0.25 == found.under.value
    assert pytest.approx(10 * 0.002) == found.in_vain_usd.value
    assert {"large": 40} == found.tiers


def test_regret_is_what_was_spent_in_vain_and_what_was_too_dear_on_average():
    rows = [*map(escalated, range(10)), *(request(10 + i) for i in range(90))]
    asides = [shadow(10 + i, propensity=0.5) for i in range(45)]

    found = routing_of(rows, asides)

    assert pytest.approx((10 * 0.002 + 90 * 0.04) / 100) == found.regret_usd.value


def test_of_two_cheaper_tiers_only_one_could_have_been_asked():
    rows = requests(100)
    asides = [shadow(i, cheaper="small" if i % 2 else "middle", propensity=0.25) for i in range(60)]

    found = routing_of(rows, asides)

    assert pytest.approx(100 * 0.04) == found.saved_usd.value
    assert [pytest.approx(100 * 0.04)] * 2 == [pair.saved_usd.value for pair in found.pairs]


def test_requests_that_had_asked_the_cheaper_tier_could_not_have_asked_it_instead():
    rows = [*map(escalated, range(60)), *(request(60 + i) for i in range(40))]

    found = routing_of(rows, [shadow(60 + i) for i in range(40)])

    assert pytest.approx(40 * 0.04) == found.saved_usd.value


def test_shadows_that_were_drawn_and_not_asked_do_not_make_the_sum_smaller():
    rows, half = requests(100), [shadow(i, propensity=1.0) for i in range(50)]

    assert pytest.approx(100 * 0.04) == routing_of(rows, half).saved_usd.value


def test_a_tier_that_hardly_ever_is_enough_is_in_vain():
    rows = [*map(escalated, range(95)), *(one_cheap(95 + i) for i in range(5))]

    (step,) = routing_of(rows, []).steps

    assert ("small", "large") == (step.tier, step.next_tier)
    assert (0.95, 100) == (step.moved.value, step.moved.n)
    assert not step.in_vain  # it costs next to nothing

    rows = [escalated(i, usd=0.03) for i in range(95)] + rows[95:]

    assert routing_of(rows, []).steps[0].in_vain


def one_cheap(number):
    return request(number, tiers=("small",), tier_usd={"small": 0.002})


def rated(number, adequacy):
    return request(number, adequacy={"small": adequacy, "large": 0.9})


def test_the_bar_is_where_cheaper_tiers_were_enough():
    rows = [rated(i, i / 100) for i in range(100)]
    asides = [shadow(i, enough=i >= 30) for i in range(100)]

    bar = routing_of(rows, asides).adequate_from(0.9)

    assert 0.25 < bar <= 0.32


def test_no_bar_is_told_where_they_seldom_were():
    rows = [rated(i, i / 100) for i in range(100)]

    assert (
        routing_of(rows, [shadow(i, enough=False) for i in range(100)]).adequate_from(0.9) is None
    )


def test_a_bar_that_failed_is_not_passed_by_chance_below_it():
    rows = [rated(i, i / 100) for i in range(100)]
    asides = [shadow(i, enough=not 60 <= i < 95) for i in range(100)]

    assert routing_of(rows, asides).adequate_from(0.5) is None


def test_nor_where_it_would_rise():
    rows = [rated(i, 0.5 + i / 200) for i in range(100)]
    asides = [shadow(i, enough=i >= 60) for i in range(100)]

    assert routing_of(rows, asides).adequate_from(0.7) is None
