"""A task is cut only where that is shown to pay, and the gate says why with its numbers."""

import pytest

from router_svc.gate import NOTHING, Prospect, Quorum, gate, shape
from services.core.lease import Lease

THREE = {"a": [], "b": [], "c": []}
CHAIN = {"a": [], "b": ["a"], "c": ["b"]}


def steps(p=0.9, *, names="abc", seconds=2.0):
    return {name: Prospect(p, seconds, usd=0.01, tokens=100) for name in names}


def decided(reads=None, prospects=None, *, p_single=0.5, lease=None, required="abc", **more):
    single = Prospect(p_single, 3.0)
    found = prospects or steps()
    return gate(
        reads or THREE, found, required=required, single=single, lease=lease or Lease(), **more
    )


def test_cuts_where_everything_speaks_for_it_and_says_the_numbers():
    found = decided(merge=Prospect(0.95, 1.0, usd=0.02))

    assert found.pays
    assert pytest.approx(0.9**3 * 0.95) == found.p_plan
    assert "0.50, below 0.60" in found.text
    assert "at 0.69, more than 0.05 above" in found.text
    assert "the weakest step is `a` at 0.90" in found.text


@pytest.mark.parametrize(
    ("more", "why"),
    [
        pytest.param({"p_single": 0.6}, "one call is predicted adequate at 0.60", id="good enough"),
        pytest.param({"prospects": steps(0.8)}, "0.51, no more than 0.50 + 0.05", id="no gain"),
        pytest.param({"reads": CHAIN}, "speeds up 1.00 times, less than 1.30 (0%", id="in a row"),
        pytest.param(
            {"reads": {"a": []}, "prospects": steps(names="a"), "required": "a"},
            "it has 1 part, fewer than 2",
            id="one part",
        ),
        pytest.param(
            {"lease": Lease(model_calls=3), "merge": Prospect(0.95, 1.0)},
            "expected to take 4 model calls; 3 are left",
            id="calls",
        ),
        pytest.param(
            {"lease": Lease(cost_usd=0.029)}, "take 0.030000 US dollars; 0.029000", id="money"
        ),
        pytest.param({"lease": Lease(tokens=299)}, "300 tokens; 299 are left", id="tokens"),
        pytest.param(
            {"lease": Lease(model_calls=3), "planner": Prospect(1.0, 0.1)},
            "4 model calls; 3 are left",
            id="planner",
        ),
    ],
)
def test_does_not_cut_and_names_each_objection(more, why):
    found = decided(**more)

    assert not found.pays
    assert found.text.startswith("not cut: ")
    assert why in found.text


def test_a_planner_that_was_asked_still_costs_time():
    assert decided(planner=Prospect(1.0, 2.0, calls=0)).pays
    assert not decided(planner=Prospect(1.0, 90.0, calls=0)).pays


def test_optional_steps_do_not_lower_the_plan():
    prospects = {**steps(), "c": Prospect(0.01, 2.0)}

    assert pytest.approx(0.81) == decided(prospects=prospects, required="ab").p_plan


def test_a_quorum_counts_by_what_is_enough_of_it():
    found = decided(prospects=steps(0.8), quorums=[Quorum(("a", "b", "c"), 2)])

    assert pytest.approx(0.896) == found.p_plan
    assert found.pays


def test_unequal_branches_speed_up_no_more_than_the_critical_path_allows():
    prospects = {"a": Prospect(0.9, 10.0), "b": Prospect(0.9, 1.0)}

    fraction, width, speed_up = shape({"a": [], "b": []}, prospects, serial_s=0.0)

    assert (1.0, 2, pytest.approx(1.1)) == (fraction, width, speed_up)


def test_a_merge_that_is_slow_eats_the_speed_up():
    assert not decided(merge=Prospect(1.0, 30.0)).pays
    assert decided(merge=NOTHING).pays
