"""A trained router comes back as it was written, or the reason tells file, field and limit."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from services.routing.artefact import Embedding, RoutingError, read, write
from services.routing.fit import fit
from services.routing.rows import rows_of


def trained():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((60, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [str(i) for i in range(60)]
    labels = (rng.random((60, 2)) < 0.5).astype(float)
    rows = rows_of(["a", "b"], ids, [f"prompt {i}" for i in ids], labels, vectors=vectors)
    return fit(rows, Embedding("minilm", "test", 4), created="2026-01-01T00:00:00+00:00")


ROUTING = trained()


@pytest.fixture
def path(tmp_path):
    write(ROUTING, tmp_path / "routing.json")
    return tmp_path / "routing.json"


def edited(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def test_comes_back_as_it_was_written(path):
    found = read(path)

    assert found.id == ROUTING.id
    assert found.models[0].weights == ROUTING.models[0].weights
    np.testing.assert_array_equal(found.logistic.of_vector, ROUTING.logistic.of_vector)


def test_is_named_by_its_content():
    other = replace(ROUTING, created="2027-01-01T00:00:00+00:00")

    assert other.id != ROUTING.id


def test_training_again_gives_the_same_artefact():
    assert trained().id == ROUTING.id


def test_a_changed_number_is_noticed(path):
    edited(path, lambda content: content["models"][0].update(offset=0.123))

    with pytest.raises(RoutingError, match=r"routing.json: id: is '\w+'; the content has"):
        read(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.update(feature_version=99), "train it anew"),
        (lambda c: c["logistic"]["bias"].update(shape=[1]), "logistic.bias"),
        (lambda c: c["logistic"]["bias"].update(data="?"), "is no array"),
        (lambda c: c["logistic"]["bias"].update(shape=[10**9]), "at most 8388608 numbers"),
        (lambda c: c["embedding"].update(dim=5), "logistic.of_vector has shape"),
        (lambda c: c["models"][1].update(name="a"), "models must be unique"),
        (lambda c: c["models"][0].update(prior=1.5), "models.0.prior"),
        (lambda c: c.update(extra=1), "extra"),
        (lambda c: c.update(format=2), "format"),
    ],
    ids=[
        "features of another version",
        "a shape unlike its data",
        "no base64",
        "too many numbers",
        "another dimension",
        "the same model twice",
        "no probability",
        "an unknown field",
        "another format",
    ],
)
def test_tells_file_field_and_limit(path, change, reason):
    edited(path, change)

    with pytest.raises(RoutingError, match=reason) as caught:
        read(path)

    assert str(path) in str(caught.value)


def test_numbers_that_are_not_finite_are_refused(path):
    data = np.full(2, np.nan, dtype=np.float32).tobytes()

    edited(path, lambda c: c["logistic"]["bias"].update(data=base64.b64encode(data).decode()))

    with pytest.raises(RoutingError, match=r"logistic.bias: .*not finite"):
        read(path)


@pytest.mark.parametrize("content", ["", "[]", "{"], ids=["empty", "a list", "cut off"])
def test_a_file_that_is_no_artefact_is_refused(path, content):
    path.write_text(content)

    with pytest.raises(RoutingError, match=r"routing\.json"):
        read(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(RoutingError, match="cannot be read"):
        read(tmp_path / "nowhere.json")
