"""An export has every record once, with typed columns and all that it holds."""

import io
import json
from datetime import UTC, datetime

import pytest

from gremium.v1.ledger_pb2 import RECORD_KIND_END
from gremium.v1.manifest_pb2 import Manifest, Participation
from services.ledger.chain import Record
from services.ledger.columns import COLUMNS, PARTICIPATION, kind_name, line_of, participations, row
from services.ledger.export import write_jsonl, write_parquet
from services.ledger.lines import PAGE, Which, lines
from services.ledger.parquet import GROUP
from services.ledger.retention import Keep, bury
from tests.unit.ledger.chains import DAY_NS, NOON_NS, add, add_feedback, change, opened

pq = pytest.importorskip("pyarrow.parquet")


def read(path, **which):
    return [each.record.request_id for each in lines(path, Which(**which))]


def table(path):
    out = io.BytesIO()
    write_parquet(lines(path, Which()), out)
    return pq.read_table(io.BytesIO(out.getvalue()))


def moment(time_ns):
    return datetime.fromtimestamp(time_ns / 1e9, UTC)


@pytest.fixture
def mixed(path):
    add(path, "r1", "r2")
    add_feedback(path, "r1", time_ns=NOON_NS + DAY_NS)
    return path


def test_reads_every_record_once_over_many_pages(path):
    ids = [f"r{n}" for n in range(2 * PAGE + 1)]
    add(path, *ids)

    assert ids == read(path)


def test_leaves_out_what_is_recorded_meanwhile(path):
    add(path, *(f"r{n}" for n in range(PAGE + 1)))
    reader = lines(path, Which())
    next(reader)
    add(path, "late")

    assert PAGE == len(list(reader))


def test_goes_on_beyond_what_is_removed_meanwhile(path):
    add(path, *(f"r{n}" for n in range(3 * PAGE)))
    reader = lines(path, Which())
    next(reader)
    change(path, "DELETE FROM records WHERE seq BETWEEN ? AND ?", PAGE, 2 * PAGE)

    assert f"r{3 * PAGE - 1}" == [each.record.request_id for each in reader][-1]


def test_chooses_by_kind_and_time(mixed):
    assert ["r1", "r2"] == read(mixed, kinds=frozenset({RECORD_KIND_END}))
    assert ["r1"] == read(mixed, since_ns=NOON_NS + 1)
    assert ["r1", "r2"] == read(mixed, until_ns=NOON_NS + 1)


def test_does_not_show_what_a_tombstone_stands_for(mixed):
    keep = Keep(since_ns=NOON_NS + 1, now_ns=NOON_NS + 2 * DAY_NS)
    with opened(mixed) as connection:
        bury(connection, keep=keep, signer=None)

    assert ["feedback", "tombstone"] == [each.kind for each in lines(mixed, Which())]


def test_a_line_of_json_has_columns_and_content(mixed):
    out = io.StringIO()

    assert 3 == write_jsonl(lines(mixed, Which()), out)
    first, _, feedback = map(json.loads, out.getvalue().splitlines())
    assert ("end", "trio", "ANSWERED", 0.25) == tuple(
        first[name] for name in ("kind", "ensemble", "outcome", "cost_usd")
    )
    assert "2026-03-01T12:00:00.000000+00:00" == first["recorded"]
    assert "Paris" == first["record"]["answers"][0]["text"]
    assert ("feedback", None, 1.0) == (
        feedback["kind"],
        feedback["cost_usd"],
        feedback["record"]["score"],
    )


def test_a_table_has_the_same_as_the_lines(mixed):
    told = [row(each) for each in lines(mixed, Which())]

    rows = table(mixed).select([each.name for each in COLUMNS]).to_pylist()

    for each in told:
        each |= {name: each[name] and moment(each[name]) for name in ("recorded", "began")}
    assert told == rows


def test_a_table_tells_what_its_columns_hold(mixed):
    schema = table(mixed).schema

    assert {each.name: each.text for each in COLUMNS}.items() <= {
        field.name: field.metadata[b"description"].decode() for field in schema
    }.items()


def test_a_table_is_written_group_by_group(path):
    add(path, "r1")
    (line,) = lines(path, Which())
    out = io.BytesIO()

    assert GROUP + 1 == write_parquet((line for _ in range(GROUP + 1)), out)
    assert 2 == pq.ParquetFile(io.BytesIO(out.getvalue())).num_row_groups


def test_a_table_has_everyone_who_took_part():
    part = Participation(name="a", model="m", stage=2, status=1, cost_usd=0.5)
    payload = Manifest(request_id="r1", participations=[part]).SerializeToString()
    line = line_of(Record(1, RECORD_KIND_END, "r1", 0, payload, b"", b"", b"", b""))

    (found,) = participations(line)

    assert PARTICIPATION.keys() == found.keys()
    assert ("JURY", "a", "ANSWERED", 0.5) == tuple(
        found[name] for name in ("stage", "name", "status", "cost_usd")
    )


def test_a_record_of_a_later_release_keeps_its_number():
    line = line_of(Record(1, 99, "r1", 0, b"\xff", b"", b"", b"", b""))

    assert ("99", None) == (line.kind, line.message)
    assert "99" == kind_name(99)
    assert {"seq", "kind", "request_id"} <= {name for name, value in row(line).items() if value}


def test_a_column_says_what_it_holds_once():
    assert len(COLUMNS) == len({each.name for each in COLUMNS})
    assert all(each.text.endswith(".") for each in COLUMNS)
