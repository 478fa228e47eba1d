"""A calibration comes back as it was written, or the reason tells file, field and limit."""

import json
from dataclasses import replace

import pytest

from services.calibration.artefact import (
    MAX_BYTES,
    Calibration,
    CalibrationError,
    ConfidenceMap,
    Declining,
    Gate,
    PoolFit,
    read,
    write,
)

FIT = PoolFit(
    rule="logit",
    jurors=("a", "b"),
    weights=(1.5, 0.5),
    alone=(0.0, -0.5),
    abstaining=(0.0, 0.0),
    priors=(0.8, 0.6),
    none_score=0.2,
    abstain=-0.1,
    gate=Gate(closed=False, best="a", quantile=0.01, n=80),
    confidence=ConfidenceMap(slope=0.9, offset=0.1),
    n_labels=80,
    metrics={"accuracy": 0.9},
)
WHOLE = Calibration(
    created="2026-01-01T00:00:00+00:00", data_sha256="0" * 64, pools={"everyday": FIT}
)


@pytest.fixture
def path(tmp_path):
    write(WHOLE, tmp_path / "calibration.json")
    return tmp_path / "calibration.json"


def edited(path, **changes):
    content = json.loads(path.read_text())
    content["pools"]["everyday"] |= changes
    path.write_text(json.dumps(content))
    return path


def test_comes_back_as_it_was_written(path):
    assert read(path) == WHOLE


OLDER = {
    "created": "2026-01-01T00:00:00+00:00",
    "data_sha256": "0" * 64,
    "format": 1,
    "id": "9904dc5b1f21",
    "judges": {},
    "pools": {
        "everyday": {
            "abstain": -0.1,
            "abstaining": [0.0, 0.0],
            "alone": [0.0, -0.5],
            "confidence": {"covariance": [0.0, 0.0, 0.0], "offset": 0.1, "slope": 0.9},
            "gate": {"best": "a", "closed": False, "n": 80, "quantile": 0.01},
            "jurors": ["a", "b"],
            "metrics": {"accuracy": 0.9},
            "n_labels": 80,
            "none_score": 0.2,
            "priors": [0.8, 0.6],
            "rule": "logit",
            "weights": [1.5, 0.5],
        }
    },
}
"""As it was written before anything was learned of answers that decline."""


def test_an_older_file_is_read_and_written_as_it_was(tmp_path):
    old, again = tmp_path / "old.json", tmp_path / "again.json"
    old.write_text(json.dumps(OLDER))

    write(read(old), again)

    assert WHOLE == read(old)
    assert OLDER == json.loads(again.read_text())


def test_what_was_learned_of_declining_comes_back(tmp_path):
    fit = replace(FIT, declining=Declining(-0.7, (0.0, 0.3)))
    whole = replace(WHOLE, pools={"everyday": fit})

    write(whole, tmp_path / "new.json")

    assert whole == read(tmp_path / "new.json")
    assert whole.id != WHOLE.id


def test_is_named_by_its_content(path):
    other = replace(WHOLE, pools={"everyday": replace(FIT, none_score=0.3)})

    assert json.loads(path.read_text())["id"] == WHOLE.id != other.id


def test_its_name_is_worked_out_once(path, monkeypatch):
    known = read(path)
    monkeypatch.setattr("services.calibration.artefact.json.dumps", pytest.fail)

    assert WHOLE.id == known.id


def test_with_few_labels_is_no_calibration():
    assert [True, False] == [replace(FIT, n_labels=n).calibrated for n in (50, 49)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"weights": [1, -1]}, "weights.1: input should be greater than", id="limit"),
        pytest.param({"weights": [1]}, "weights has 1 values for 2 jurors", id="length"),
        pytest.param(
            {"declining": {"score": 0.0, "jurors": [0.0]}},
            "declining has 1 values for 2 jurors",
            id="length of declining",
        ),
        pytest.param({"jurors": ["a", "a"]}, "jurors must be unique", id="twice"),
        pytest.param({"wieghts": []}, "wieghts: ", id="unknown field"),
        pytest.param({"none_score": float("nan")}, "none_score: ", id="no number"),
        pytest.param({"none_score": 0.3}, "id: is ", id="changed by hand"),
        pytest.param(
            {"gate": {"closed": True, "best": "z", "quantile": 0.0, "n": 80}},
            "gate.best 'z' is not among the jurors",
            id="best of others",
        ),
    ],
)
def test_tells_file_and_field(path, changes, told):
    with pytest.raises(CalibrationError) as caught:
        read(edited(path, **changes))

    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_another_format_is_not_read(path):
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))

    with pytest.raises(CalibrationError, match="format: input should be 1"):
        read(path)


def test_what_is_too_large_is_not_read(path):
    whole = path.read_text()
    path.write_text(whole.ljust(MAX_BYTES))
    assert read(path) == WHOLE

    path.write_text(whole.ljust(MAX_BYTES + 1))

    with pytest.raises(CalibrationError, match=f"has {MAX_BYTES + 1} bytes; at most {MAX_BYTES}"):
        read(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}'])
def test_refuses_what_is_no_calibration(tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)

    with pytest.raises(CalibrationError, match=r"bad\.json"):
        read(path)


def test_says_when_there_is_no_file(tmp_path):
    with pytest.raises(CalibrationError, match="cannot be read"):
        read(tmp_path / "missing.json")
