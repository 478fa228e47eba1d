"""A trained router tells prompts apart, says what it does not know, and explains itself."""

from dataclasses import replace

import numpy as np
import pytest

from services.routing.artefact import Embedding
from services.routing.features import Seen, features, of_text, seen, words
from services.routing.fit import adequacy, fit
from services.routing.looked import FLOOR
from services.routing.predict import COLD, predict
from services.routing.rows import rows_of

DIM = 8
EMBEDDING = Embedding("minilm", "test", DIM)
OPPOSITE = np.array([-1.0, -1.0, *[0.0] * (DIM - 2)], dtype=np.float32) / np.float32(2.0**0.5)
"""Like no planted prompt."""


def unit(at, rng, n):
    found = 0.3 * rng.standard_normal((n, DIM))
    found[:, at] += 1.0
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def planted(n=400, seed=0):
    """Two kinds of prompts; `small` is good at the first only, `large` at both."""
    rng = np.random.default_rng(seed)
    vectors = np.concatenate([unit(0, rng, n // 2), unit(1, rng, n // 2)])
    easy = np.arange(n) < n // 2
    small = (rng.random(n) < np.where(easy, 0.9, 0.2)).astype(float)
    large = (rng.random(n) < 0.85).astype(float)
    rare = np.where(np.arange(n) % (n // 10) == 0, 1.0, np.nan)
    return rows_of(
        ["small", "large", "rare"],
        [f"row {i}" for i in range(n)],
        [f"prompt number {i}?" for i in range(n)],
        np.stack([small, large, rare], axis=1),
        vectors=vectors,
        output_tokens=np.stack([np.where(easy, 100.0, 400.0)] * 3, axis=1),
        domains=["easy" if e else "hard" for e in easy],
    )


@pytest.fixture(scope="module")
def routing():
    return fit(planted(), EMBEDDING, created="2026-01-01T00:00:00+00:00")


def of_kind(at):
    vector = np.eye(DIM, dtype=np.float32)[at]
    return Seen(vector, features(of_text("prompt number 7?")), words("prompt number 7?"))


def test_tells_prompts_apart_that_a_model_can_and_cannot_answer(routing):
    (easy,) = predict(routing, of_kind(0), ["small"]).models
    (hard,) = predict(routing, of_kind(1), ["small"]).models

    assert easy.adequacy > 0.8
    assert hard.adequacy < 0.35
    assert easy.low < easy.adequacy < easy.high


def test_answers_in_the_order_of_the_question(routing):
    found = predict(routing, of_kind(0), ["rare", "large", "small"]).models

    assert ["rare", "large", "small"] == [each.model for each in found]


def test_contributions_add_up_to_the_log_odds(routing):
    (found,) = predict(routing, of_kind(1), ["small"]).models

    total = sum(value for _, value in found.contributions)
    assert 1.0 / (1.0 + np.exp(-total)) == pytest.approx(found.adequacy, abs=1e-6)
    assert {"meaning", "clusters", "base"} <= {name for name, _ in found.contributions}


def test_a_model_with_few_labels_is_cold_and_has_its_prior(routing):
    (found,) = predict(routing, of_kind(0), ["rare"]).models

    assert found.n_labels < COLD
    assert (True, False) == (found.cold, found.calibrated)
    assert found.adequacy == pytest.approx(11.0 / 12.0)


def test_an_unknown_model_is_cold_and_nothing_is_known_of_it(routing):
    (found,) = predict(routing, of_kind(0), ["stranger"]).models

    assert (0.5, 0.0, 1.0, True, 0) == (
        found.adequacy,
        found.low,
        found.high,
        found.cold,
        found.n_labels,
    )


@pytest.mark.parametrize(
    "vector",
    [None, np.zeros(DIM, dtype=np.float32), np.full(DIM, np.nan, dtype=np.float32)],
    ids=["none", "zero", "not a number"],
)
def test_without_a_usable_vector_priors_stand(routing, vector):
    found = predict(routing, seen(of_text("hello"), vector), ["small"])

    assert (True, None, ()) == (found.novel, found.similarity, found.nearest)
    assert found.models[0].adequacy == pytest.approx(routing.models[0].prior)


def test_a_vector_of_another_length_is_refused(routing):
    with pytest.raises(ValueError, match=r"\(8,\) is needed"):
        predict(routing, seen(of_text("hello"), np.ones(3, dtype=np.float32)), ["small"])


def test_names_the_nearest_training_prompts_and_the_domain(routing):
    rows = planted()
    found = predict(routing, Seen(rows.vectors[7], rows.features[7], rows.words[7]), ["small"])

    assert "row 7" == found.nearest[0]
    assert found.similarity == pytest.approx(1.0, abs=0.02)
    assert ("easy", False) == (found.domain, found.novel)


def test_a_prompt_unlike_all_others_is_novel(routing):
    assert predict(routing, of_kind(5), ["small"]).novel


def test_the_more_novel_a_prompt_the_more_its_domain_alone_speaks(routing):
    away = replace(of_kind(5), domain="hard", vector=OPPOSITE)
    (far,) = predict(routing, away, ["small"]).models
    (near,) = predict(routing, replace(of_kind(5), domain="hard"), ["small"]).models
    alone = routing.domains.values[1, 0]

    assert abs(far.adequacy - alone) < 0.5 * abs(near.adequacy - alone)
    assert "novelty" == far.contributions[0][0]


def test_where_no_domains_are_known_a_novel_prompt_has_the_prior():
    rows = replace(planted(), domains=("",) * 400)
    found = fit(rows, EMBEDDING, created="")
    away = replace(of_kind(5), vector=OPPOSITE)
    (small,) = predict(found, away, ["small"]).models

    assert found.models[0].prior == pytest.approx(small.adequacy, abs=0.02)


def test_contributions_of_a_novel_prompt_add_up_too(routing):
    found = predict(routing, of_kind(5), ["small"])
    total = sum(value for _, value in found.models[0].contributions)

    assert found.novel
    assert 1.0 / (1.0 + np.exp(-total)) == pytest.approx(found.models[0].adequacy, abs=1e-6)


def test_expects_the_output_tokens_of_like_prompts(routing):
    (easy,) = predict(routing, of_kind(0), ["small"]).models
    (hard,) = predict(routing, of_kind(1), ["small"]).models

    assert easy.tokens_p50 < 150
    assert hard.tokens_p90 > 350


def test_many_prompts_at_once_give_the_same_numbers(routing):
    rows = planted(n=20, seed=1)
    at_once = adequacy(routing, rows)

    for i, expected in enumerate(at_once[:, 0]):
        prompt = Seen(rows.vectors[i], rows.features[i], rows.words[i], rows.domains[i])
        assert predict(routing, prompt, ["small"]).models[0].adequacy == pytest.approx(expected)


def test_no_prediction_is_certain(routing):
    rows = planted(n=40, seed=2)
    found = adequacy(routing, rows)

    assert found.min() >= FLOOR
    assert found.max() <= 1.0 - FLOOR
