"""The bench of routing trains and measures on any recording of the documented form."""

import gzip
import json

import numpy as np
import pytest

from bench.decisions import SkippedError
from bench.routing import pairs
from bench.routing.pairs import baselines, figures, pair_rows, split, splits
from bench.routing.telling import apgr_row, ece_row
from bench.routing.vectors import PART, vectors
from services.models.minilm import DIMENSIONS

KINDS = {"history": (0.85, 0.9), "algebra": (0.2, 0.8)}
"""By domain: how often the weak and the strong model are right."""


def recorded(n, seed=0):
    rng = np.random.default_rng(seed)
    for i in range(n):
        domain = sorted(KINDS)[i % 2]
        weak, strong = (int(rng.random() < p) for p in KINDS[domain])
        yield {
            "id": f"row {i}",
            "domain": domain,
            "prompt": f"A question about {domain}, number {i}",
            "weak": weak,
            "strong": strong,
            "contaminated": int(i == 0),
        }


def by_domain(texts):
    """A unit vector of each text; those of one domain are alike."""
    rng = np.random.default_rng(len(texts))
    found = 0.05 * rng.standard_normal((len(texts), DIMENSIONS))
    found[:, 0] += ["algebra" in text for text in texts]
    found[:, 1] += ["history" in text for text in texts]
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "routing").mkdir()
    path = folder / "routing/routellm_mmlu.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in recorded(601))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pairs, "vectors", by_domain)
        yield pair_rows(folder, "mmlu")


@pytest.fixture(scope="module")
def found(rows):
    """The figures of one split."""
    (one,) = splits(rows, 300, [0])
    return figures(one)


def test_contaminated_prompts_are_left_out(rows):
    assert 600 == len(rows)


def test_a_router_beats_the_length_where_the_domain_decides(rows, found):
    row = apgr_row("planted", [found], 0.6, rows, ())

    assert row.holds
    assert row.ours > row.baseline + 0.05
    assert row.interval[0] > 0.0
    assert "oracle" in row.note


def test_a_missed_cell_says_what_was_tried(rows, found):
    row = apgr_row("planted", [found], 2.0, rows, (100,))

    assert not row.holds
    assert all(word in row.note for word in ("alone logistic", "by labels 100:", "the oracle is"))


def test_calibration_is_held_against_what_chance_allows(found):
    row = ece_row("planted", [found])

    assert row.ours == pytest.approx(np.mean(found.ece))
    assert row.reach >= 0.03


def test_test_rows_that_training_has_seen_are_dropped(rows):
    at = np.arange(100)
    found = split(rows, at, np.append(at[:10], [200, 201]))

    assert (2, 10) == (len(found.test), found.dropped)


def test_no_split_tests_what_it_trains_on(rows):
    (found,) = splits(rows, 300, [3])

    assert not set(found.train.ids) & set(found.test.ids)
    assert 600 == len(found.train) + len(found.test)


def test_baselines_learn_from_training_rows_alone(rows):
    given = split(rows, np.arange(300), np.arange(300, 600))
    flipped = split(rows, np.arange(300), np.arange(300, 600))
    flipped.test.labels[:] = 1.0 - flipped.test.labels
    one, other = baselines(given), baselines(flipped)

    for name in ("random", "length", "kNN", "domain prior"):
        np.testing.assert_array_equal(one[name], other[name])


def test_only_the_baseline_is_told_the_domains_of_test_rows(rows):
    given = split(rows, np.arange(300), np.arange(300, 600))

    assert {""} == set(given.test.domains)
    assert set(KINDS) == set(given.domains) == set(given.train.domains)
    assert 2 == np.unique(baselines(given)["domain prior"]).size


def test_a_missing_recording_is_told(tmp_path):
    with pytest.raises(SkippedError, match="is missing"):
        pair_rows(tmp_path, "gsm8k")


class Counting:
    """Stands for the model and counts the texts that it is asked for."""

    def __init__(self):
        self.asked = 0

    def embed(self, texts):
        self.asked += len(texts)
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        found[:, 0] = [len(text) for text in texts]
        return found


def test_vectors_are_computed_once_and_stand_in_the_order_of_the_texts(
    tmp_path, monkeypatch, capsys
):
    model = Counting()
    monkeypatch.setattr("bench.routing.vectors._model", lambda: model)
    texts = ["x" * (1 + i * 7 % (PART + 5)) for i in range(PART + 5)]

    for _ in range(2):
        found = vectors(texts, folder=tmp_path)
        assert [len(text) for text in texts] == found[:, 0].tolist()

    assert PART + 5 == model.asked
    told = [line.split()[1] for line in capsys.readouterr().err.splitlines()]
    assert [str(PART), "5"] == told
