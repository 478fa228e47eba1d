"""A graph of steps is run if and only if every step can start and serves the answer."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.graph import (
    MOST_DEPTH,
    MOST_READERS,
    MOST_STEPS,
    critical_first,
    critical_path,
    cycle,
    faults,
    in_order,
    levels,
    time_behind,
    unread,
)


def texts(reads, *final):
    return [fault.text for fault in faults(reads, final=final or unread(reads))]


@st.composite
def graphs(draw):
    """Acyclic graphs within the limits: a step reads only steps of earlier levels."""
    placed: list[list[str]] = []
    reads: dict[str, list[str]] = {}
    for level in range(draw(st.integers(1, MOST_DEPTH))):
        names = [f"s{level}{nth}" for nth in range(draw(st.integers(1, 3)))]
        for name in names:
            below = [one for row in placed for one in row if _readers(reads, one) < MOST_READERS]
            before = [one for one in (placed[-1] if placed else []) if one in below]
            other = draw(st.lists(st.sampled_from(below), unique=True)) if below else []
            reads[name] = sorted({*other, *before[:1]})
        placed.append(names)
    shuffled = draw(st.permutations(list(reads)))
    return {name: reads[name] for name in shuffled}


def _readers(reads, name):
    return sum(name in of_step for of_step in reads.values())


@given(graphs())
def test_accepts_acyclic_graphs_in_an_order_that_can_be_run(reads):
    ordered = in_order(reads)

    assert [] == texts(reads)
    assert sorted(reads) == sorted(ordered)
    place = {name: nth for nth, name in enumerate(ordered)}
    assert all(place[read] < place[name] for name in reads for read in reads[name])
    assert in_order(reads) == ordered


@given(graphs(), st.data())
def test_refuses_and_names_a_single_edge_back(reads, data):
    late = data.draw(st.sampled_from(sorted(reads)))
    behind = {late}
    while more := {one for name in behind for one in reads[name]} - behind:
        behind |= more
    early = data.draw(st.sampled_from(sorted(behind)))
    looped = {**reads, early: [*reads[early], late]}

    (problem,) = texts(looped, *unread(reads))

    ring = cycle(looped)
    assert "wait for each other" in problem
    assert ring[0] == ring[-1]
    assert {early, late} <= set(ring)
    assert all(read in looped[name] for name, read in pairwise(ring))
    assert " -> ".join(ring) in problem


def test_names_a_missing_step():
    assert ["`b` reads the step `nobody`, which does not exist"] == texts({"b": ["nobody"]}, "b")


def test_names_a_step_that_the_merge_misses():
    assert ["the merge reads the step `c`, which does not exist"] == texts({"b": []}, "c")


def test_names_a_step_that_serves_nobody():
    assert ["the output of `b` never reaches the answer"] == texts({"a": [], "b": []}, "a")


@pytest.mark.parametrize(
    ("reads", "problem"),
    [
        pytest.param(
            {f"s{n}": [] for n in range(MOST_STEPS + 1)}, "13 steps; at most 12", id="steps"
        ),
        pytest.param(
            {f"s{n}": [f"s{n - 1}"] * (n > 0) for n in range(MOST_DEPTH + 1)},
            "`s4` is the 5th in a row; at most 4",
            id="depth",
        ),
        pytest.param(
            {"a": [], **{f"s{n}": ["a"] for n in range(MOST_READERS + 1)}},
            "6 steps read `a`; at most 5",
            id="readers",
        ),
    ],
)
def test_names_what_is_too_large(reads, problem):
    (told,) = texts(reads)

    assert problem in told


def test_counts_the_longest_path():
    assert {"a": 1, "b": 2, "c": 3} == levels({"a": [], "b": ["a"], "c": ["a", "b"]})


@given(graphs())
def test_the_most_urgent_step_that_can_start_comes_first(reads):
    seconds = {step: float(len(step) + nth) for nth, step in enumerate(reads)}
    after = time_behind(reads, seconds)
    urgency = {step: seconds[step] + after[step] for step in reads}

    order = critical_first(reads, urgency)

    assert sorted(reads) == sorted(order)
    for nth, step in enumerate(order):
        able = [s for s in order[nth:] if all(read in order[:nth] for read in reads[s])]
        assert step in able
        assert urgency[step] == max(urgency[each] for each in able)


@given(graphs())
def test_the_critical_path_takes_as_long_as_any(reads):
    seconds = {step: float(1 + nth % 3) for nth, step in enumerate(reads)}
    after = time_behind(reads, seconds)

    path = critical_path(reads, seconds)

    assert sum(seconds[step] for step in path) == max(seconds[s] + after[s] for s in reads)
    assert all(earlier in reads[later] for earlier, later in pairwise(path))
