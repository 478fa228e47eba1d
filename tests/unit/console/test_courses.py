"""Routing over time: every request is in the stretch in which it began, under the tier that answered."""

from dataclasses import replace

import pytest

from services.gateway.console.courses import course
from services.report.rows import request_of
from services.report.shadows import Shadow
from tests.unit.console.manifests import manifest


@pytest.fixture
def request_row():
    def row(start_s, *tiers, request_id="r", in_vain_usd=0.0):
        made = replace(request_of(manifest()), start_s=float(start_s), tiers=tiers)
        return replace(made, request_id=request_id, in_vain_usd=in_vain_usd)

    return row


def shadow(request_id, *, enough):
    return Shadow(
        request_id=request_id,
        ensemble="main",
        used="large",
        cheaper="small",
        propensity=1.0,
        enough=enough,
        method="ballots",
        used_usd=0.1,
        cheaper_usd=0.01,
        spent_usd=0.01,
        start_s=0.0,
    )


def told(rows, shadows=()):
    return course(rows, shadows, since_s=0, until_s=299, every_s=100)


def test_a_request_counts_for_the_tier_that_answered_when_it_began(request_row):
    rows = [request_row(10, "small"), request_row(199, "small", "large"), request_row(200, "large")]

    found = told(rows)

    assert ((0, 100, 200), ("large", "small")) == (found.begins_s, found.tiers)
    assert ((0, 1, 1), (1, 0, 0)) == found.counts


def test_stretches_tell_what_was_compared_and_what_was_in_vain(request_row):
    rows = [
        request_row(10, "large", request_id="a"),
        request_row(20, "large", request_id="b"),
        request_row(30, "small", "large", request_id="c", in_vain_usd=0.5),
    ]
    asides = [shadow("a", enough=True), shadow("b", enough=False), shadow("c", enough=None)]

    (one,) = told(rows, asides).stretches

    assert (3, 2, 1, 1, 0.5) == (
        *(one.requests, one.compared, one.enough),
        *(one.moved, one.in_vain_usd),
    )


def test_what_began_outside_of_the_time_is_left_out(request_row):
    found = told([request_row(999, "small")])

    assert ((0, 0, 0),) == found.counts
    assert () == found.stretches


def test_a_request_that_no_tier_answered_counts_as_asked(request_row):
    found = told([request_row(10)])

    assert () == found.tiers
    assert [1] == [one.requests for one in found.stretches]
