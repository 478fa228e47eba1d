"""What somebody tells of a prompt's field counts, even where its words and meaning tell nothing."""

from dataclasses import replace

import numpy as np
import pytest

from services.routing.artefact import Domains, Embedding
from services.routing.domains import domain_places
from services.routing.features import Seen, features, of_text, words
from services.routing.fit import adequacy, fit
from services.routing.kernel_fit import MAX_DOMAINS, frequent
from services.routing.predict import predict
from services.routing.rows import rows_of

DIM = 8
TEXT = "Which one is right?"


def alike(n=400, seed=0):
    """Prompts of two fields that look alike; the model is good in one of them."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, DIM)).astype(np.float32)
    history = np.arange(n) % 2 == 0
    right = (rng.random(n) < np.where(history, 0.9, 0.2)).astype(float)
    return rows_of(
        ["small"],
        [f"row {i}" for i in range(n)],
        [f"{TEXT} {i}" for i in range(n)],
        right[:, np.newaxis],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        domains=["history" if each else "law" for each in history],
    )


@pytest.fixture(scope="module")
def routing():
    return fit(alike(), Embedding("minilm", "test", DIM), created="")


def asked(domain):
    return Seen(np.eye(DIM, dtype=np.float32)[0], features(of_text(TEXT)), words(TEXT), domain)


def test_a_told_domain_moves_the_prediction(routing):
    (history,) = predict(routing, asked("history"), ["small"]).models
    (law,) = predict(routing, asked("law"), ["small"]).models

    assert history.adequacy > 0.75
    assert law.adequacy < 0.35
    assert "domain" in {name for name, _ in history.contributions}


def test_one_prompt_and_many_are_predicted_alike(routing):
    rows = alike().only(np.arange(20))

    many = adequacy(routing, rows)[:, 0]

    told = zip(rows.vectors, rows.features, rows.words, rows.domains, strict=True)
    one = [predict(routing, Seen(*each), ["small"]).models[0].adequacy for each in told]
    assert one == pytest.approx(many.tolist(), abs=1e-6)


def learned(values):
    """Two fields, of which likeness to two known prompts tells."""
    nothing = np.zeros((2, 0), dtype=np.int8)
    weights = np.array(values, dtype=np.float32)
    zeros = np.zeros(2, dtype=np.float32)
    return Domains(("history", "law"), 20.0, zeros, weights, nothing, zeros, np.zeros((2, 1)))


@pytest.mark.parametrize("told", ["", "cooking"])
def test_an_untold_domain_is_the_likely_one(told):
    domains, near = learned(np.eye(2)), np.array([[0.9, 0.436], [0.707, 0.707]])
    texts = [words(TEXT)] * 2

    places = domain_places(domains, near, texts, np.zeros(0), [told, told])

    assert places[0, 0] > 0.99
    assert places[1].tolist() == [0.5, 0.5]


def spoken(n=300, seed=0):
    """Prompts of two fields that only their words tell apart."""
    rng = np.random.default_rng(seed)
    rows = alike(n, seed)
    fields = ["castle" if each == "history" else "verdict" for each in rows.domains]
    texts = [f"{rng.integers(9999)} of the {field}?" for field in fields]
    return rows_of(
        rows.models, rows.ids, texts, rows.labels, vectors=rows.vectors, domains=rows.domains
    )


def test_words_tell_the_domain_where_meaning_does_not():
    rows = spoken()
    routing = fit(rows.only(np.arange(200)), Embedding("minilm", "test", DIM), created="")
    held = rows.only(np.arange(200, 300))

    told = zip(held.vectors, held.features, held.words, strict=True)
    found = [predict(routing, Seen(*each), ["small"]).domain for each in told]

    assert sum(map(str.__eq__, found, held.domains)) > 90


def test_a_domain_guessed_counts_as_one_told():
    rows = spoken()
    routing = fit(rows.only(np.arange(200)), Embedding("minilm", "test", DIM), created="")
    held = rows.only(np.arange(200, 300))

    told = adequacy(routing, held)
    guessed = adequacy(routing, replace(held, domains=("",) * 100))

    assert np.abs(told - guessed).mean() < 0.05


def test_of_too_many_domains_the_frequent_ones_stay():
    told = [f"field {nth:03d}" for nth in range(MAX_DOMAINS + 5)]

    found = frequent([*told, *told[5:], ""])

    assert tuple(told[5:]) == found


def test_without_domains_nothing_is_known_of_them():
    rows = replace(alike(), domains=("",) * 400)

    found = fit(rows, Embedding("minilm", "test", DIM), created="")

    assert found.logistic.of_domains.shape == (1, 0)
    assert 0.4 < predict(found, asked("history"), ["small"]).models[0].adequacy < 0.7
