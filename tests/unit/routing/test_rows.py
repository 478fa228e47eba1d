"""Labelled rows are read as they stand, or the reason tells file, line and field."""

import json

import numpy as np
import pytest

from services.routing.dedupe import grouped_folds, text_key, unseen
from services.routing.features import FEATURES, features, of_text
from services.routing.rows import RowsError, read_rows, rows_of


@pytest.fixture
def written(tmp_path):
    def write(*lines):
        path = tmp_path / "outcomes.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return write


def test_reads_prompts_and_how_each_model_did(written):
    given = {"quality": 1, "cost_usd": 0.5, "output_tokens": 20}
    rows = read_rows(
        written(
            {"id": "1", "prompt": "Hi?", "outcomes": {"b": given, "a": 0.5}, "domain": "talk"},
            {"id": "2", "prompt": "Why?", "outcomes": {"a": None}},
        )
    )

    assert (("a", "b"), ("1", "2"), ("talk", "")) == (rows.models, rows.ids, rows.domains)
    np.testing.assert_array_equal(rows.labels, [[0.5, 1.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(rows.costs_usd, [[np.nan, 0.5], [np.nan, np.nan]])
    np.testing.assert_array_equal(rows.output_tokens, [[np.nan, 20], [np.nan, np.nan]])
    np.testing.assert_array_equal(rows.features[0], features(of_text("Hi?")))


def test_takes_rows_without_text_that_bring_their_numbers(written):
    numbers = [0.5] * len(FEATURES)
    rows = read_rows(
        written(
            {"id": "1", "vector": [1, 0], "features": numbers, "outcomes": {"a": 1}},
            {"id": "2", "prompt": "Hi?", "outcomes": {"a": 1}},
        )
    )

    assert [[1, 0], [0, 0]] == rows.vectors.tolist()
    assert numbers == rows.features[0].tolist()
    assert rows.keys[0] != rows.keys[1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"id": "1", "outcomes": {"a": 1}}, "needs `prompt` or `features`"),
        ({"id": "1", "prompt": "x", "outcomes": {}}, "outcomes"),
        ({"id": "1", "prompt": "x", "outcomes": {"a": 2}}, "outcomes.a: input should be"),
        (
            {"id": "1", "prompt": "x", "outcomes": {"a": {"quality": 2}}},
            r"a\.quality: input.*than or",
        ),
        ({"id": "1", "prompt": "x", "outcomes": {"a": 1}, "extra": 1}, "extra"),
        ({"id": "0", "prompt": "x", "outcomes": {"a": 1}}, "'0' stands in an earlier line"),
        ({"id": "1", "vector": [1], "features": [1], "outcomes": {"a": 1}}, "has 1; 19 are needed"),
        ("{", "invalid json"),
    ],
    ids=[
        "no prompt",
        "no outcome",
        "no quality",
        "too good",
        "unknown",
        "twice",
        "features",
        "no json",
    ],
)
def test_tells_file_line_and_field(written, line, reason):
    path = written({"id": "0", "prompt": "x", "outcomes": {"a": 1}}, line)

    with pytest.raises(RowsError, match=reason) as caught:
        read_rows(path)

    assert f"{path}:2: " in str(caught.value)


def test_vectors_of_different_lengths_are_refused(written):
    numbers = [0.0] * len(FEATURES)
    one = {"id": "1", "vector": [1], "features": numbers, "outcomes": {"a": 1}}

    with pytest.raises(RowsError, match=r"lengths \[1, 2\]"):
        read_rows(written(one, one | {"id": "2", "vector": [1, 0]}))


def test_an_empty_or_missing_file_is_told(written, tmp_path):
    with pytest.raises(RowsError, match="holds no rows"):
        read_rows(written(""))
    with pytest.raises(RowsError, match="cannot be read"):
        read_rows(tmp_path / "nowhere.jsonl")


def rows(texts, labels=None):
    ids = [str(i) for i in range(len(texts))]
    told = np.ones((len(texts), 1)) if labels is None else labels
    return rows_of(["a"], ids, texts, told)


def test_some_of_the_rows_by_mask_or_by_index():
    found = rows(["one", "two", "three"])

    assert ("1", "2") == found.only(np.array([False, True, True])).ids
    assert ("2", "0") == found.only(np.array([2, 0])).ids


def test_the_digest_knows_texts_and_labels_but_no_order():
    found = rows(["one", "two"])

    assert found.digest == found.only(np.array([1, 0])).digest
    assert found.digest != rows(["one", "three"]).digest
    assert found.digest != rows(["one", "two"], np.array([[1.0], [0.0]])).digest


def test_labels_outside_of_their_range_are_refused():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        rows(["one"], np.array([[1.5]]))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("What is 6 x 7?", " what is  6 X 7", True),
        ("“Quoted”, said he.", '"quoted" said he', True),
        ("6 * 7", "6 + 7", False),
        ("6.5 apples", "65 apples", False),
        ("ﬁne", "fine", True),
        ("50%", "50", False),
    ],
)
def test_equal_texts_have_equal_keys(one, other, same):
    assert same == (text_key(one) == text_key(other))


def test_rows_that_training_has_seen_are_found():
    assert [True, False] == unseen(["a", "b"], ["c", "a"]).tolist()


def test_rows_of_one_text_share_their_fold():
    keys = [f"key {i % 20}" for i in range(60)]
    fold = grouped_folds(keys, parts=5, seed=0)

    assert all(len(set(fold[[k == key for k in keys]])) == 1 for key in set(keys))
    assert [4] * 5 == [
        len({k for k, f in zip(keys, fold, strict=True) if f == p}) for p in range(5)
    ]
