"""Cascades over recorded answers pay for what they ask, and ask where that is worth its price."""

import numpy as np
import pytest

from bench.routing.cascades import Cascade, Price, Recorded, Terms
from bench.routing.hands import said, signals_of
from bench.routing.mmlupro import agreement
from bench.routing.simpleqa import limited
from services.routing.artefact import Embedding
from services.routing.rows import rows_of

DIM = 8
CHEAP_USD, DEAR_USD = 0.001, 0.1


def recorded(n=300, seed=0):
    """`cheap` is right on one half of the prompts, `twin` says the same there; `dear` always is."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, DIM)).astype(np.float32)
    easy = rng.random(n) < 0.5
    rows = rows_of(
        ["cheap", "dear", "twin"],
        [f"row {i}" for i in range(n)],
        [f"prompt {i}?" for i in range(n)],
        np.stack([easy, np.ones(n), easy], axis=1).astype(float),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        costs_usd=np.tile([CHEAP_USD, DEAR_USD, CHEAP_USD], (n, 1)),
        output_tokens=np.tile([1_000.0, 10_000.0, 1_000.0], (n, 1)),
    )
    return Recorded(rows, tuple(("A", "A", "A" if e else "B") for e in easy))


@pytest.fixture(scope="module")
def cascade():
    per_token = {"cheap": 1e-6, "dear": 1e-5, "twin": 1e-6}
    prices = {name: Price(0.0, usd) for name, usd in per_token.items()}
    terms = Terms(Embedding("words", "", DIM), prices, agreement, first=("cheap", "twin"))
    return Cascade(recorded(), terms, seed=0)


def test_asks_the_dear_one_where_the_cheap_ones_are_at_odds(cascade):
    others = recorded(n=100, seed=1)

    given = cascade.asked(others, value_usd=0.5)

    at_odds = others.rows.labels[:, 0] == 0.0
    assert given.calls.tolist() == [3.0 if odd else 2.0 for odd in at_odds]
    assert given.right.mean() == 1.0
    assert given.cost_usd == pytest.approx(2 * CHEAP_USD + DEAR_USD * at_odds)


def test_asks_nobody_whose_price_is_above_what_a_right_answer_is_worth(cascade):
    given = cascade.asked(recorded(n=100, seed=1), value_usd=0.01)

    assert set(given.calls.tolist()) == {2.0}
    assert given.right.mean() < 0.7


def test_chooses_the_worth_that_keeps_the_budget(cascade):
    assert cascade.within(0.01, [0.01, 0.5]) == 0.01
    assert cascade.within(0.2, [0.01, 0.5]) == 0.5


def test_a_limit_cuts_off_what_is_longer_and_pays_up_to_it():
    prices = {name: Price(0.0, 1e-5) for name in ("cheap", "dear", "twin")}

    cut = limited(recorded(n=4), prices, 4_000.0)

    assert [row[1] for row in cut.said] == [None] * 4
    assert cut.rows.labels[:, 1].tolist() == [0.0] * 4
    assert cut.rows.costs_usd[:, 1] == pytest.approx(DEAR_USD - 6_000 * 1e-5)
    assert cut.rows.costs_usd[:, 0] == pytest.approx(CHEAP_USD)


def test_answers_that_name_the_same_are_more_alike_than_others():
    question = "Who found it in 2010?"
    one = said("It was found by **José Peña** in 2010.", question, 10)
    same = said("Jose Pena found it.", question, 10)
    other = said("**Ann Smith** found it in 2010.", question, 10)
    signals = signals_of([one, same, other])

    alike = signals("a", {"a": one, "b": same})
    apart = signals("a", {"a": one, "b": other})
    alone = signals("a", {"a": one, "b": None})

    assert (alike["held b"], apart["held b"]) == (1.0, 0.0)
    assert (alike["silent b"], alone["silent b"]) == (0.0, 1.0)
    assert set(alike) == set(alone)
