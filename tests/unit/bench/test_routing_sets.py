"""Recordings of routing are measured whatever their names, models and sizes, and nothing leaks."""

import gzip
import json

import numpy as np
import pytest

from bench.decisions import SkippedError
from bench.recordings import recording
from bench.routing import drift, llmrouter, mmlu, mmlupro, others, pairs, shares, simpleqa
from services.models.minilm import DIMENSIONS

MODELS = {"small": (0.8, 0.2), "middle": (0.8, 0.5), "large": (0.9, 0.8)}
"""How often each is right about history and algebra."""
PRICES = {"small": 1.0, "middle": 2.0, "large": 10.0}


def vectors(texts):
    """A unit vector of each text; those of one kind are alike."""
    found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in zip(found, texts, strict=True):
        row[2 + sum(map(ord, text)) % 300] = 0.3
        row[int("algebra" in text)] = 1.0
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def _embedded(monkeypatch):
    for module in (pairs, llmrouter, simpleqa):
        monkeypatch.setattr(module, "vectors", vectors)


def questions(n, seed=0):
    """Prompts, and who is right about them."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        kind = int(rng.integers(2))
        text = f"A question about {('history', 'algebra')[kind]}, number {i}"
        yield i, text, {name: int(rng.random() < p[kind]) for name, p in MODELS.items()}


def pair(n):
    for i, text, right in questions(n):
        yield {"id": i, "prompt": text, "weak": right["small"], "strong": right["large"]}


def scores(n):
    for i, text, right in questions(n):
        yield {"id": i, "prompt": text, "score": right}


def outcomes(n):
    for i, text, right in questions(n):
        said = {
            name: {
                "score": right[name],
                "cost": PRICES[name] / 1_000,
                "ct": 9 + i % 3,
                "out": f"It is **{i if right[name] else name}**.",
            }
            for name in MODELS
        }
        yield {"id": i, "query": text, "models": said}


def letters(n):
    for i, text, right in questions(n):
        said = "".join("A" if good else "BC"[i % 2] for good in right.values())
        lengths = [int(100 * price) for price in PRICES.values()]
        yield {"id": i, "question": text, "options": ["x", "y", "z"], "gold": "A", "pred": said,
               "out_chars": lengths}  # fmt: skip


def written(data, name, rows):
    path = data / f"routing/{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    path.write_bytes(gzip.compress(lines.encode()))
    listing = {"models_in_pred_order": list(MODELS)}
    (data / f"routing/{name}.models.json").write_text(json.dumps(listing))
    recording.cache_clear()


@pytest.mark.parametrize(
    ("rows", "measures"),
    [
        pytest.param(pair, ["some, 80 labels: APGR", "some, 80 labels: ECE"], id="pair"),
        pytest.param(scores, ["some: quality", "some: ECE of predicted adequacy"], id="scores"),
        pytest.param(
            outcomes,
            [
                "some: accuracy by route and cascade",
                "some: US dollars a question",
                "some, the three tiers: ECE of predicted adequacy",
            ],
            id="outcomes",
        ),
        pytest.param(
            letters,
            [
                "some: accuracy by route and cascade",
                "some: share of the best single model's cost",
                "some, the four tiers: ECE of predicted adequacy",
            ],
            id="letters",
        ),
    ],
)
def test_a_set_that_nobody_knows_is_measured_as_its_form_is(tmp_path, rows, measures):
    written(tmp_path, "some", rows(160))

    found = list(others.rows(tmp_path, range(1)))

    assert measures == [row.measure for row in found]
    assert np.isfinite([row.ours for row in found]).all()


def test_without_such_sets_it_is_skipped(tmp_path):
    with pytest.raises(SkippedError, match="no recording of routing"):
        list(others.rows(tmp_path, range(1)))


def test_what_is_published_is_not_held_against_half_of_the_prompts(tmp_path):
    written(tmp_path, "routellm_mmlu", pair(120))

    found = {row.measure: row for row in mmlu.rows(tmp_path, range(1))}

    row = found["MMLU, 60 labels: APGR"]
    assert row.baseline == row.reach


def test_other_models_under_a_known_name_are_not_called_the_published_ones(tmp_path):
    written(tmp_path, "llmrouter_9models", scores(160))

    quality, _ = llmrouter.rows(tmp_path, range(1))

    assert "llmrouter: quality" == quality.measure
    assert quality.reach == quality.baseline


@pytest.mark.parametrize("part", [drift, shares])
def test_parts_that_need_more_prompts_or_domains_say_so(tmp_path, part):
    written(tmp_path, "routellm_mmlu", list(pair(120))[: 120 if part is drift else 50])

    with pytest.raises(SkippedError, match="needed"):
        list(part.rows(tmp_path, range(1)))


def test_models_that_are_not_better_for_their_price_are_told(tmp_path):
    written(tmp_path, "some", ({**row, "strong": 0} for row in pair(120)))

    with pytest.raises(SkippedError, match="a better strong model"):
        list(others.rows(tmp_path, range(1)))


@pytest.mark.parametrize("rows", [scores, outcomes, letters])
def test_too_few_prompts_to_train_and_to_test_on_are_told(tmp_path, rows):
    written(tmp_path, "some", rows(50))

    with pytest.raises(SkippedError, match="60 of 2 are needed"):
        list(others.rows(tmp_path, range(1)))


def test_answers_that_are_missing_are_not_wrong_ones(tmp_path):
    rows = list(scores(200))
    for row in rows[::4]:
        row["score"]["middle"] = None
    written(tmp_path, "some", rows)

    found = list(others.rows(tmp_path, range(1)))

    assert np.isfinite([row.ours for row in found]).all()


def flipped(rows, test, flip):
    """The same rows, with the labels of test prompts turned round."""
    return [flip(row) if nth in test else row for nth, row in enumerate(rows)]


def turned_outcomes(row):
    told = {name: {**each, "score": 1 - each["score"]} for name, each in row["models"].items()}
    return {**row, "models": told}


def turned_letters(row):
    """The reference is another letter, so that who was right is wrong."""
    return {**row, "gold": "D"}


@pytest.mark.parametrize(
    ("part", "rows", "flip", "more"),
    [
        pytest.param(simpleqa, outcomes, turned_outcomes, (simpleqa.MOST_TOKENS,), id="outcomes"),
        pytest.param(mmlupro, letters, turned_letters, (), id="letters"),
    ],
)
def test_labels_of_test_prompts_change_neither_whom_a_cascade_asks_nor_what_it_expects(
    tmp_path, part, rows, flip, more
):
    given = list(rows(160))
    written(tmp_path / "one", "some", given)
    one = part._split(tmp_path / "one", "some", 0, *more)
    written(tmp_path / "other", "some", flipped(given, set(one.test.tolist()), flip))

    other = part._split(tmp_path / "other", "some", 0, *more)

    np.testing.assert_array_equal(one.given.cost_usd, other.given.cost_usd)
    np.testing.assert_array_equal(one.told, other.told)
    assert one.given.right.mean() > 0.5 > other.given.right.mean()


def test_labels_of_test_prompts_change_nothing_that_a_router_of_scores_chooses(tmp_path):
    given = [{**row, "split": ("train", "test")[row["id"] % 2]} for row in scores(200)]
    turned = [
        {**row, "score": {n: 1 - s for n, s in row["score"].items()}} if row["id"] % 2 else row
        for row in given
    ]
    told = []
    for name, rows in (("one", given), ("other", turned)):
        written(tmp_path / name, "some", rows)
        quality, _ = llmrouter.measured(tmp_path / name, "some", "some")
        told.append(quality.ours)

    assert pytest.approx(1.0) == sum(told)
    assert told[0] > 0.5
