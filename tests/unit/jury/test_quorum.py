"""A jury stops exactly when waiting longer cannot pay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jury_svc.quorum import Stop, affordable, stop_reason

counts = st.integers(0, 64)
quorums = st.integers(1, 64)


def stop(usable, unsettled, quorum, *, grace_over=False, time_is_up=False, **ballots):
    return stop_reason(
        usable=usable,
        unsettled=unsettled,
        quorum=quorum,
        grace_over=grace_over,
        time_is_up=time_is_up,
        **ballots,
    )


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        pytest.param(None, stop(0, 3, 2), id="waits for the quorum"),
        pytest.param(None, stop(2, 1, 2), id="waits for stragglers in the grace"),
        pytest.param(Stop.QUORUM, stop(2, 1, 2, grace_over=True), id="quorum and grace over"),
        pytest.param(Stop.ALL_SETTLED, stop(3, 0, 2), id="everyone is in"),
        pytest.param(Stop.QUORUM_IMPOSSIBLE, stop(0, 1, 2), id="one left, two needed"),
        pytest.param(Stop.QUORUM_IMPOSSIBLE, stop(1, 0, 2), id="all in, too few usable"),
        pytest.param(Stop.QUORUM_IMPOSSIBLE, stop(0, 0, 1), id="nobody asked"),
        pytest.param(Stop.DEADLINE, stop(1, 1, 2, time_is_up=True), id="time up"),
        pytest.param(Stop.DECIDED, stop(2, 1, 2, decided=True), id="the ballots have decided"),
        pytest.param(None, stop(1, 2, 2, decided=True), id="decided below the quorum"),
        pytest.param(
            None, stop(2, 1, 2, grace_over=True, may_change=True), id="a straggler may change it"
        ),
        pytest.param(
            Stop.DEADLINE,
            stop(2, 1, 2, grace_over=True, may_change=True, time_is_up=True),
            id="time up though a straggler may change it",
        ),
        pytest.param(Stop.DEADLINE, stop(2, 1, 2, time_is_up=True), id="time up in the grace"),
    ],
)
def test_stops(expected, found):
    assert expected == found


@given(counts, counts, quorums, st.booleans(), st.booleans())
def test_never_waits_when_nobody_is_left_or_time_is_up(usable, unsettled, quorum, grace, time):
    found = stop(usable, unsettled, quorum, grace_over=grace, time_is_up=time)

    assert found is not None or (unsettled > 0 and not time)


@given(counts, st.integers(1, 64), quorums, st.booleans())
def test_never_stops_while_a_quorum_is_still_to_be_had(usable, unsettled, quorum, grace):
    found = stop(usable, unsettled, quorum, grace_over=grace)

    possible = usable < quorum <= usable + unsettled
    assert (found is None) == possible or usable >= quorum


@given(counts, counts, quorums, st.booleans(), st.booleans())
def test_says_impossible_exactly_when_it_is(usable, unsettled, quorum, grace, time):
    found = stop(usable, unsettled, quorum, grace_over=grace, time_is_up=time)

    assert (found is Stop.QUORUM_IMPOSSIBLE) == (usable + unsettled < quorum)


@given(counts, counts, quorums, st.booleans(), st.booleans())
def test_met_quorums_and_missed_ones_have_different_reasons(usable, unsettled, quorum, grace, time):
    found = stop(usable, unsettled, quorum, grace_over=grace, time_is_up=time)

    assert usable >= quorum or found not in {Stop.QUORUM, Stop.ALL_SETTLED}


@given(counts, st.integers(1, 64), quorums)
def test_the_grace_of_a_met_quorum_decides(usable, unsettled, quorum):
    usable += quorum

    assert stop(usable, unsettled, quorum) is None
    assert Stop.QUORUM is stop(usable, unsettled, quorum, grace_over=True)


@given(counts, st.none() | counts, quorums)
def test_asks_as_many_as_the_lease_pays_or_nobody(jurors, calls, quorum):
    asked = affordable(jurors, model_calls=calls, quorum=quorum)

    payable = jurors if calls is None else min(calls, jurors)
    assert asked == (0 if payable < quorum else payable)
