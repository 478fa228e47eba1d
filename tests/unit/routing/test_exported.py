"""What a ledger tells of models leaves it as lines, and comes back as the same rows."""

import json

import numpy as np
import pytest

from gremium.v1 import manifest_pb2, types_pb2
from services.routing.exported import training
from services.routing.recorded import rows_of_ledger
from services.routing.rows import RowsError, read_rows
from tests.unit.routing.recording import AXIS, PASS, USED, features, request

QUESTION = "Is water wet?"


def asked(request_id, *, vector=b"", text=""):
    made = request(request_id, verdicts={"a": PASS}, kept=features(vector=vector, embedding=USED))
    if text:
        part = types_pb2.Part(text=text)
        made.prompt.messages.add(role=types_pb2.ROLE_USER, parts=[part])
    return made


def lines_of(*manifests, **options):
    return training(manifests, embedding=USED, **options).lines


@pytest.mark.parametrize("vector", [b"", AXIS], ids=["features alone", "embedded"])
def test_the_rows_that_are_read_again_are_those_of_the_ledger(tmp_path, vector):
    manifests = [asked("r1", vector=vector), asked("r2", vector=vector)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines_of(*manifests)))

    again = read_rows(path)

    known = rows_of_ledger(manifests, embedding=USED).rows
    told = ("models", "ids", "keys", "domains")
    assert [getattr(known, name) for name in told] == [getattr(again, name) for name in told]
    for name in ("labels", "costs_usd", "output_tokens", "features", "vectors"):
        np.testing.assert_allclose(getattr(again, name), getattr(known, name), atol=1e-6)


def test_no_text_leaves_it_unless_that_is_asked_for():
    made = asked("r1", text=QUESTION)

    (without,), (told,) = lines_of(made), lines_of(made, texts=True)

    assert QUESTION not in json.dumps(without)
    assert QUESTION == told["prompt"]


def test_a_ledger_without_texts_has_none_to_tell():
    (line,) = lines_of(asked("r1"), texts=True)

    assert "prompt" not in line


def test_only_models_that_somebody_judged_have_an_outcome():
    (line,) = lines_of(asked("r1"))

    assert {"small": {"quality": 1.0, "cost_usd": 0.5, "output_tokens": 40.0}} == line["outcomes"]


def test_says_how_many_requests_tell_nothing():
    unjudged = manifest_pb2.Manifest()
    unjudged.CopyFrom(asked("r2"))
    del unjudged.verdicts[:]

    found = training([asked("r1"), unjudged], embedding=USED)

    assert (1, {"nobody judged an answer": 1}) == (len(found.lines), found.left_out)
    with pytest.raises(RowsError, match="nobody judged an answer"):
        training([unjudged], embedding=USED)
