"""Each step gets its part of the critical path, a search always enough, and nothing is wasted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.config.tree import Config
from services.gateway.patterns.specialists_needs import (
    SEARCH_S,
    USUAL_S,
    Roster,
    longest_s,
    needs,
    seconds_behind,
)
from services.gateway.patterns.specialists_times import (
    SEARCH_LEAST_S,
    SEARCH_SHARE,
    kept_s,
    search_s,
    step_s,
)

SEARCH = {"retrieval": {"folder": "docs"}}
JURY = {"pattern": "jury", "jurors": [{"model": "slow"}, {"model": "fast"}]}
seconds = st.floats(0.01, 600.0)


def model(**more):
    return {"backend": "openai", "model": "m", "family": "f", "timeout_s": 600.0, **more}


MODELS = {
    "fast": model(expected_latency_s=2.0),
    "slow": model(expected_latency_s=6.0),
    "unknown": model(),
    "patient": model(timeout_s=3600.0),
    "brief": model(timeout_s=1.0),
}


def expected(steps, *, others=None, **more):
    """Expected seconds of each step, and of what comes behind it."""
    graph = {"pattern": "specialists", "steps": steps, **more}
    ensembles = {"main": graph, **(others or {})}
    config = Config(models=MODELS, ensembles=ensembles, default_ensemble="main")
    ensemble = config.ensembles["main"]
    found = needs(ensemble, Roster(config.models, config.ensembles))
    behind = seconds_behind(ensemble, found)
    return {name: need.seconds for name, need in found.items()}, behind, longest_s(found, behind)


def test_a_measured_model_counts_as_it_was_measured():
    own, _, _ = expected({"a": {"model": "fast"}})

    assert {"a": 2.0} == own


def test_an_unmeasured_model_counts_like_the_measured_ones_on_average():
    own, _, _ = expected(
        {"a": {"model": "fast"}, "b": {"model": "slow"}, "c": {"model": "unknown"}}
    )

    assert 4.0 == own["c"]


def test_without_a_measurement_all_models_count_the_same_whatever_their_timeouts():
    own, _, _ = expected({"a": {"model": "unknown"}, "b": {"model": "patient"}})

    assert {"a": USUAL_S, "b": USUAL_S} == own


@pytest.mark.parametrize("step", [{"model": "brief"}, {"model": "slow", "timeout_s": 1.0}])
def test_nobody_is_kept_more_time_than_it_may_take(step):
    own, behind, _ = expected({"a": {"model": "fast"}, "b": {**step, "depends_on": ["a"]}})

    assert (1.0, 1.0) == (own["b"], behind["a"])


def test_an_ensemble_takes_as_long_as_its_slowest_juror():
    own, _, _ = expected({"a": {"ensemble": "panel"}}, others={"panel": JURY})

    assert 6.0 == own["a"]


def test_a_graph_within_a_graph_takes_as_long_as_its_critical_path():
    steps = {"x": SEARCH, "y": {"model": "slow"}, "z": {"model": "fast", "depends_on": ["x", "y"]}}
    inner = {"pattern": "specialists", "steps": steps}

    own, _, _ = expected({"a": {"ensemble": "inner"}}, others={"inner": inner})

    assert 8.0 == own["a"]


def test_the_merge_is_behind_every_step():
    steps = {"a": SEARCH, "b": {"model": "fast", "depends_on": ["a"]}}

    _, behind, longest = expected(steps, merge={"model": "slow"})

    assert {"a": 8.0, "b": 6.0} == behind
    assert SEARCH_S + 8.0 == longest


def test_a_short_step_has_as_long_as_the_longest_beside_it():
    until_due_s = 30.0 - kept_s(30.0, behind_s=2.0, longest_s=8.0)

    assert 22.5 == step_s(30.0, own_s=1.0, behind_s=2.0, due_s=until_due_s)


@given(seconds, seconds, seconds)
def test_a_step_leaves_those_behind_it_their_part(left_s, own_s, behind_s):
    given_s = step_s(left_s, own_s=own_s, behind_s=behind_s)

    assert 0.0 <= given_s <= left_s
    assert left_s - given_s == pytest.approx(left_s * behind_s / (own_s + behind_s), abs=1e-6)


@given(seconds, seconds)
def test_a_search_always_gets_enough_and_leaves_most(left_s, behind_s):
    given_s = search_s(left_s, own_s=SEARCH_S, behind_s=behind_s)

    assert given_s >= min(SEARCH_LEAST_S, left_s * SEARCH_SHARE)
    share_s = step_s(left_s, own_s=SEARCH_S, behind_s=behind_s)
    assert given_s <= max(share_s, left_s * SEARCH_SHARE)


@given(seconds, st.lists(seconds, min_size=1, max_size=4))
def test_steps_in_a_row_that_take_all_they_may_still_leave_each_its_part(window_s, row):
    left_s, total_s = window_s, sum(row)
    for nth, own_s in enumerate(row):
        behind_s = sum(row[nth + 1 :])
        due_s = max(0.0, left_s - kept_s(window_s, behind_s=behind_s, longest_s=total_s))
        given_s = step_s(left_s, own_s=own_s, behind_s=behind_s, due_s=due_s)
        left_s -= given_s

        assert given_s == pytest.approx(window_s * own_s / total_s, rel=1e-6, abs=1e-6)


@given(seconds, seconds)
def test_time_that_a_step_did_not_use_is_given_to_the_next(window_s, own_s):
    due_s = window_s - kept_s(window_s, behind_s=own_s, longest_s=3 * own_s)

    second_s = step_s(window_s, own_s=own_s, behind_s=own_s, due_s=due_s)

    assert second_s == pytest.approx(window_s * 2 / 3)


def test_the_critical_path_is_told_from_what_runs_beside_it():
    steps = {
        "slow": {"model": "slow"},
        "fast": {"model": "fast"},
        "end": {"model": "fast", "depends_on": ["slow", "fast"]},
    }
    models = {"slow": model(expected_latency_s=9.0), "fast": model(expected_latency_s=1.0)}
    config = Config(models=models, ensembles={"main": {"pattern": "specialists", "steps": steps}})

    found = needs(config.ensembles["main"], Roster(config.models, config.ensembles))

    assert {"slow": True, "fast": False, "end": True} == {n: e.critical for n, e in found.items()}
