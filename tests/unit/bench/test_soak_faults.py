"""What a soak's requests came to beside each fault, and what no fault accounts for."""

import pytest

from bench.soak_faults import (
    BESIDE_NONE,
    FAULTS,
    Outage,
    accounted,
    accounts_table,
    unexcused_share,
)
from bench.soak_load import ANSWERED, LEFT, WITHOUT_A_STAGE, Got

BY_NAME = {str(fault): fault for fault in FAULTS}
KILLED = Outage(BY_NAME["router killed"], 10.0, 12.0)
FROZEN = Outage(BY_NAME["jury frozen"], 20.0, 21.0)


def told(*got, outages=(KILLED, FROZEN)):
    """Times, ends and unexcused ends by fault."""
    return {
        each.beside: (each.outages, dict(each.ends), each.unexcused)
        for each in accounted(got, outages)
        if each.ends
    }


@pytest.mark.parametrize(
    ("ended_s", "took_s", "beside"),
    [
        (10.1, 0.2, "router killed"),
        (12.5, 1.0, "router killed"),
        (15.0, 8.0, "router killed"),
        (9.9, 1.0, BESIDE_NONE),
        (12.5, 0.4, BESIDE_NONE),
    ],
)
def test_a_request_is_beside_a_fault_if_it_ran_meanwhile(ended_s, took_s, beside):
    assert {beside} == told(Got(ended_s, took_s, ANSWERED)).keys()


def test_an_answer_without_the_router_is_excused_by_its_death_alone():
    got = [Got(at_s, 0.1, WITHOUT_A_STAGE) for at_s in (11.0, 20.5, 30.0)]

    assert {
        "router killed": (1, {WITHOUT_A_STAGE: 1}, 0),
        "jury frozen": (1, {WITHOUT_A_STAGE: 1}, 1),
        BESIDE_NONE: (0, {WITHOUT_A_STAGE: 1}, 1),
    } == told(*got)


def test_a_caller_who_leaves_is_always_excused_and_an_internal_error_never():
    got = [Got(at_s, 0.1, what) for at_s in (11.0, 30.0) for what in (LEFT, "INTERNAL")]

    assert [1, 1] == [unexcused for *_, unexcused in told(*got).values()]
    assert 0.5 == unexcused_share(accounted(got, [KILLED]))


def test_a_request_beside_two_faults_is_excused_by_either():
    both = [Outage(FROZEN.fault, 10.0, 11.0), KILLED]

    found = told(Got(10.5, 0.1, "DEADLINE_EXCEEDED"), outages=both)

    assert {"jury frozen", "router killed"} == found.keys()
    assert {0} == {unexcused for *_, unexcused in found.values()}


def test_the_table_has_a_line_for_each_fault():
    lines = accounts_table(accounted([Got(11.0, 0.1, "INTERNAL")], [KILLED])).splitlines()

    assert ["router", "killed", "1", "1", "1", "INTERNAL"] == lines[-1].split()
