"""What is held out teaches nothing, and what it shows stands in the artefact."""

import numpy as np
import pytest

from services.routing.artefact import Embedding
from services.routing.dedupe import unseen
from services.routing.fit import fit
from services.routing.rows import rows_of
from services.routing.training import split, trained, warnings
from tests.unit.routing.test_predict import DIM, planted

EMBEDDING = Embedding("none", "words", DIM)
NOW = "2026-01-01T00:00:00+00:00"


def doubled():
    """Every prompt stands twice, in other words of the same letters."""
    rows = planted(n=200)
    texts = [*rows.texts, *(f"  {text.upper()}!" for text in rows.texts)]
    ids = [f"row {i}" for i in range(len(texts))]
    twice = lambda table: np.concatenate([table, table])  # noqa: E731
    return rows_of(rows.models, ids, texts, twice(rows.labels), vectors=twice(rows.vectors))


def test_a_prompt_on_both_sides_is_dropped_from_what_is_measured_on():
    parts = split(doubled(), hold_out=0.25, seed=0)

    assert 300 == len(parts.train)
    assert 100 == len(parts.test) + parts.dropped
    assert parts.dropped > 50
    assert unseen(parts.train.keys, parts.test.keys).all()


def test_what_is_held_out_changes_nothing_that_is_learned():
    parts = split(planted(), hold_out=0.2, seed=0)

    learned = trained(parts, EMBEDDING, created=NOW).routing
    alone = fit(parts.train, EMBEDDING, created=NOW)

    assert alone.data_sha256 == learned.data_sha256
    assert alone.models == learned.models or [
        (m.name, dict(m.weights), m.offset, m.prior) for m in alone.models
    ] == [(m.name, dict(m.weights), m.offset, m.prior) for m in learned.models]
    np.testing.assert_array_equal(alone.scaling.mean, learned.scaling.mean)
    np.testing.assert_array_equal(alone.kernel.weights, learned.kernel.weights)


def test_the_artefact_keeps_what_was_measured():
    found = trained(split(planted(), hold_out=0.3, seed=0), EMBEDDING, created=NOW)
    told = found.routing.scores

    assert found.measured.pair.curves["router"].apgr == told["apgr"]
    assert told["apgr"] > told["apgr random"]
    assert found.measured.n == told["rows"]
    assert {"cpt50", "cpt80", "ece", "apgr oracle", "apgr length"} <= told.keys()


def test_without_anything_held_out_nothing_is_claimed():
    found = trained(split(planted(), hold_out=0.0, seed=0), EMBEDDING, created=NOW)

    assert found.measured is None
    assert {} == found.routing.scores


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        pytest.param(20, "cold, and goes by its prior", id="below thirty"),
        pytest.param(40, "is uncalibrated: 40 labels; 50 are needed", id="below fifty"),
        pytest.param(60, None, id="enough"),
    ],
)
def test_says_of_whom_too_little_was_learned(n, expected):
    rows = planted(n=n).of_models(["small"])
    told = warnings(trained(split(rows, hold_out=0.0, seed=0), EMBEDDING, created=NOW).routing)

    assert (expected is None) == (not told)
    assert expected is None or expected in told[0]


@pytest.mark.parametrize("n", [1, 2, 5])
def test_learns_priors_of_very_few_rows(n):
    rows = planted(n=20).only(np.arange(n))
    routing = trained(split(rows, hold_out=0.0, seed=0), EMBEDDING, created=NOW).routing

    assert n == routing.models[0].n_labels
    assert "cold" in warnings(routing)[0]
