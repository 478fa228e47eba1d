"""Figures of a router stand beside those of plain rules, or say why there are none."""

import numpy as np
import pytest

from services.routing.artefact import Embedding
from services.routing.comparing import compared
from services.routing.evaluate import curve
from services.routing.fit import adequacy, fit
from services.routing.measuring import frontier, measured
from services.routing.rows import rows_of
from tests.unit.routing.test_predict import DIM, planted, unit

EMBEDDING = Embedding("none", "words", DIM)
PAIR = ("small", "large")


@pytest.fixture(scope="module")
def routing():
    return fit(planted(), EMBEDDING, created="2026-01-01")


@pytest.fixture(scope="module")
def ignorant():
    """Learned from labels that tell nothing of the prompt."""
    rows = planted()
    labels = np.random.default_rng(9).permutation(rows.labels)
    noise = rows_of(
        rows.models, rows.ids, rows.texts, labels, vectors=rows.vectors, domains=rows.domains
    )
    return fit(noise, EMBEDDING, created="2026-01-02")


@pytest.fixture(scope="module")
def unseen_rows():
    rows = planted(seed=7)
    cost = np.tile([0.001, 0.01, 0.001], (len(rows), 1))
    return rows_of(
        rows.models,
        [f"test {i}" for i in range(len(rows))],
        [f"test prompt {i}?" for i in range(len(rows))],
        rows.labels,
        vectors=rows.vectors,
        costs_usd=cost,
        domains=rows.domains,
    )


def test_all_rules_stand_beside_the_router(routing, unseen_rows):
    pair = measured(routing, unseen_rows, planted(), pair=PAIR).pair

    assert {"router", "random", "length", "oracle", "kNN", "domain prior"} == set(pair.curves)
    told = adequacy(routing, unseen_rows)
    y = unseen_rows.labels
    assert curve(told[:, 1] - told[:, 0], y[:, 0], y[:, 1]).apgr == pair.curves["router"].apgr
    apgr = {name: each.apgr for name, each in pair.curves.items()}
    assert apgr["oracle"] > apgr["router"] > apgr["random"] + 0.1


def test_intervals_tell_a_gain_from_chance(routing, unseen_rows):
    gains = measured(routing, unseen_rows, planted(), pair=PAIR).pair.gains

    assert gains["random"][0] > 0.0
    assert gains["oracle"][1] < 0.0
    assert gains["kNN"][0] < 0.05


def test_rules_that_learn_are_left_out_without_rows_to_learn_from(routing, unseen_rows):
    pair = measured(routing, unseen_rows, None, pair=PAIR).pair

    assert {"router", "random", "length", "oracle"} == set(pair.curves)


def test_the_pair_is_the_worst_and_the_best_where_none_is_named(routing, unseen_rows):
    pair = measured(routing, unseen_rows, None).pair

    assert PAIR == (pair.weak, pair.strong)


def test_cost_at_equal_quality_is_below_that_of_the_best_model(routing, unseen_rows):
    two = unseen_rows.of_models(PAIR)
    found = measured(routing, two, planted()).frontier

    assert "large" == found.best
    assert found.best_cost_usd == pytest.approx(0.01)
    assert 0.001 < found.cost_at_equal_quality < 0.009


def test_says_what_could_not_be_measured_and_why(routing, unseen_rows):
    few = unseen_rows.only(np.arange(5)).of_models(PAIR)
    found = measured(routing, few, None)

    assert (None, None) == (found.pair, found.frontier)
    notes = "; ".join(found.notes)
    assert "small has 5 labels here; below 50" in notes
    assert "no curve: 5 prompts are judged for both" in notes
    assert "no cost at equal quality: 5 prompts" in notes


def test_a_strong_model_that_is_not_better_has_no_gap(routing, unseen_rows):
    found = measured(routing, unseen_rows, None, pair=("large", "small"))

    assert np.isnan(found.pair.curves["router"].apgr)
    assert any("small is not better than large here" in note for note in found.notes)


def test_a_model_that_it_knows_nothing_of_is_named(routing, unseen_rows):
    with pytest.raises(ValueError, match="the router knows nothing of strange"):
        measured(routing, unseen_rows, None, pair=("strange", "large"))


def test_the_frontier_begins_at_the_cheapest_and_ends_at_the_most_adequate():
    p = np.array([[0.2, 0.9], [0.8, 0.9]])
    y, cost = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[1.0, 5.0], [1.0, 5.0]])
    costs, qualities = frontier(p, y, cost, np.array([1.0, 5.0]))

    assert [(1.0, 0.5), (3.0, 1.0), (5.0, 1.0)] == list(zip(costs, qualities, strict=True))


def test_the_better_of_two_routers_is_told_from_the_other(routing, ignorant, unseen_rows):
    found = compared(ignorant, routing, unseen_rows, None, pair=PAIR)

    assert found.losses[1] < found.losses[0]
    assert found.loss_gain[1] < 0.0 < found.apgr_gain[0]


def test_a_router_is_no_better_than_itself(routing, unseen_rows):
    found = compared(routing, routing, unseen_rows, None, pair=PAIR)

    assert ((0.0, 0.0), (0.0, 0.0)) == (found.loss_gain, found.apgr_gain)


def test_routers_of_other_models_are_not_compared(routing, unseen_rows):
    rows = planted()
    other = rows_of(
        ["x"],
        rows.ids,
        rows.texts,
        rows.labels[:, :1],
        vectors=unit(0, np.random.default_rng(0), 400),
    )
    with pytest.raises(ValueError, match="know no model in common"):
        compared(routing, fit(other, EMBEDDING, created=""), unseen_rows, None)
