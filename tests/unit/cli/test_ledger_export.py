"""`gremium ledger export` hands on records and rows to learn from."""

import json
import re
import time

import pytest

from gremium.v1.manifest_pb2 import MANIFEST_STATE_COMPLETED
from tests.unit.ledger.chains import add, add_ends, add_shadow
from tests.unit.routing.recording import EQUAL, PASS, request, shadow


def told(result):
    code, out, _ = result
    return code, json.loads(out)


def test_exports_lines_of_json(ledger, three):
    code, out, _ = ledger("export")

    rows = [json.loads(line) for line in out.splitlines()]
    assert 0 == code
    assert ["r1", "r2", "r3"] == [row["request_id"] for row in rows]
    assert {"COMPLETED"} == {row["state"] for row in rows}
    assert "Paris" == rows[0]["record"]["answers"][0]["text"]


def test_exports_to_a_file_that_is_there_once_it_is_whole(ledger, three, tmp_path):
    file = tmp_path / "out.jsonl"

    code, found = told(ledger("export", "--to", file, "--json"))

    assert (0, 3, str(file)) == (code, found["rows"], found["file"])
    assert 3 == len(file.read_text().splitlines())
    assert not list(tmp_path.glob("*.part"))


def test_exports_what_is_young_or_of_a_kind(ledger, three, signer):
    add(three, "new", signer=signer, time_ns=time.time_ns())

    assert ["new"] == [
        json.loads(row)["request_id"] for row in ledger("export", "--since", "7d")[1].splitlines()
    ]
    assert "" == ledger("export", "--kind", "feedback")[1]


@pytest.fixture
def learnable(ledger_file, ledger):
    """A request that a judge passed, one of which nothing is known."""
    judged = request("r1", ballots={"a": "x", "b": "y"}, verdicts={"a": PASS})
    for manifest in (judged, request("r2")):
        manifest.state = MANIFEST_STATE_COMPLETED
        add_ends(ledger_file, manifest)


def test_exports_rows_to_train_on(ledger, learnable, tmp_path):
    code, out, err = ledger("export", "--training")

    (line,) = map(json.loads, out.splitlines())
    assert (0, "r1", 1.0) == (code, line["id"], line["outcomes"]["small"]["quality"])
    assert "1 request left out: " in err


def test_rows_to_train_on_have_what_shadows_tell(ledger, learnable, ledger_file):
    add_shadow(ledger_file, shadow(EQUAL, "tiny"))

    (line,) = map(json.loads, ledger("export", "--training")[1].splitlines())

    assert 1.0 == line["outcomes"]["tiny"]["quality"]


def test_exports_a_table_with_a_row_for_each_model(ledger, learnable, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "rows.parquet"

    ledger("export", "--training", "--format", "parquet", "--to", file)

    (row,) = pq.read_table(file).to_pylist()
    assert ("r1", "small", 1.0, 0.5, None) == tuple(
        row[name] for name in ("id", "model", "quality", "cost_usd", "prompt")
    )
    assert row["features"]


def test_says_why_there_is_nothing_to_train_on(ledger, three):
    code, _, err = ledger("export", "--training")

    assert 1 == code
    assert err


def test_tells_its_columns(ledger):
    code, out, _ = ledger("export", "--columns")

    assert 0 == code
    assert re.search(r"cost_usd +number +US dollars", out)
