"""A juror is seated if it can take the prompt, in time and within the lease."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_svc.eligibility import seated
from router_svc.profiles import Filter
from tests.unit.router.tiers import demand, juror, limits, tier


def filters(one, wanted=None, allowed=None):
    seating = seated(tier("t", one), wanted or demand(), allowed or limits())
    return [objection.filter for objection in seating.objections]


@pytest.mark.parametrize(
    ("one", "wanted", "allowed", "expected"),
    [
        pytest.param(juror(context_tokens=150), demand(), limits(), Filter.CONTEXT, id="context"),
        pytest.param(
            juror(context_tokens=250),
            demand(limit=200),
            limits(),
            Filter.CONTEXT,
            id="room asked for the answer",
        ),
        pytest.param(
            juror(context_tokens=210, instruction_tokens=50),
            demand(),
            limits(),
            Filter.CONTEXT,
            id="instruction",
        ),
        pytest.param(juror(), demand(images=True), limits(), Filter.IMAGES, id="images"),
        pytest.param(juror(tools=False), demand(tools=True), limits(), Filter.TOOLS, id="tools"),
        pytest.param(juror(latency_s=3), demand(), limits(time_s=2), Filter.LATENCY, id="latency"),
        pytest.param(juror(usd=0.02), demand(), limits(usd=0.01), Filter.COST, id="cost"),
        pytest.param(juror(usd=0.02), demand(), limits(usd=0.0), Filter.COST, id="no money"),
        pytest.param(juror(), demand(), limits(calls=0), Filter.COST, id="calls"),
        pytest.param(juror(), demand(), limits(tokens=150), Filter.COST, id="tokens"),
    ],
)
def test_leaves_out(one, wanted, allowed, expected):
    assert [expected] == filters(one, wanted, allowed)


def test_seats_a_juror_that_can():
    able = juror(images=True, usd=0.01, latency_s=1.0)

    assert [] == filters(
        able, demand(images=True, tools=True), limits(time_s=1.0, usd=0.02, calls=1, tokens=200)
    )


def test_seats_a_free_juror_without_money():
    assert [] == filters(juror(usd=0.0), allowed=limits(usd=0.0))


def test_expects_the_cost_of_what_is_read_and_written():
    one = juror(input_usd_per_mtok=10.0, usd=0.02, instruction_tokens=100)
    seating = seated(tier("t", one), demand(), limits())

    assert seating.cost_usd == pytest.approx(200 * 10.0 / 1e6 + 0.02)


def test_seats_the_cheapest_while_the_lease_lasts():
    dear, cheap, middling = (
        juror("dear", usd=0.05),
        juror("cheap", usd=0.01),
        juror("mid", usd=0.02),
    )
    seating = seated(tier("t", dear, cheap, middling, quorum=1), demand(), limits(usd=0.04))

    assert ["cheap", "mid"] == [seat.juror.name for seat in seating.seats]


def test_a_quorum_left_to_the_default_follows_who_is_left():
    jurors = [juror(n) for n in "abc"]
    seating = seated(tier("t", *jurors, juror("d", latency_s=9)), demand(), limits(time_s=2))

    assert 2 == seating.quorum


def test_a_configured_quorum_stands():
    jurors = [juror("a"), juror("b"), juror("c", latency_s=9)]
    allowed = limits(time_s=2)

    assert 2 == seated(tier("t", *jurors, quorum=2), demand(), allowed).quorum
    assert not seated(tier("t", *jurors, quorum=3), demand(), allowed).eligible


def test_nobody_left_is_not_eligible():
    assert not seated(tier("t", juror(latency_s=9)), demand(), limits(time_s=2)).eligible


def test_waits_for_the_quorum_and_the_grace_but_not_longer_than_the_slowest():
    jurors = [juror("a", latency_s=1), juror("b", latency_s=2), juror("c", latency_s=9)]

    def latency_s(grace_s):
        return seated(tier("t", *jurors, grace_s=grace_s), demand(), limits()).latency_s

    assert latency_s(0.5) == pytest.approx(2.5)
    assert latency_s(60.0) == pytest.approx(9.0)


def test_does_not_know_its_latency_unless_every_juror_is_known():
    jurors = [juror("a", latency_s=1), juror("b", latency_s=None)]
    seating = seated(tier("t", *jurors), demand(), limits(time_s=1.0))

    assert seating.latency_s is None
    assert 2 == len(seating.seats)


@given(st.lists(st.floats(0, 0.1), min_size=1, max_size=6), st.floats(0, 0.3))
def test_the_seated_never_cost_more_than_the_lease(prices, usd):
    jurors = [juror(str(n), usd=price) for n, price in enumerate(prices)]
    seating = seated(tier("t", *jurors, quorum=1), demand(), limits(usd=usd))

    assert sum(seat.cost_usd for seat in seating.seats) <= usd + 1e-9
    assert len(seating.seats) + len(seating.objections) == len(jurors)
