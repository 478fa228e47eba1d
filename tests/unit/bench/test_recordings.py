"""Recordings are told by their form, read in an order of their own, and what is left out is told."""

import gzip
import json

import pytest

from bench import recordings
from bench.decisions import BrokenError, SkippedError
from bench.forms import whole
from bench.recordings import files, located, recording, rows_of, troubles


def pair(i, **more):
    return {"id": f"q/{i}", "prompt": f"Question {i}?", "weak": 0, "strong": 1, **more}


PAIRS = [pair(i) for i in range(30)]


def written(path, rows):
    path.parent.mkdir(exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "routing/some.jsonl.gz"


def ids(path):
    return [row["id"] for row in recording(path).rows]


def test_rows_stand_by_the_numbers_in_their_ids_whatever_the_file_has(path):
    shuffled = [dict(reversed(row.items())) for row in PAIRS[::2] + PAIRS[1::2][::-1]]
    written(path, shuffled)

    assert [row["id"] for row in PAIRS] == ids(path)


def test_what_the_form_does_not_have_is_dropped(path):
    written(path, [pair(1, junk={"x": 1}), pair(2)])

    assert [PAIRS[1], PAIRS[2]] == list(rows_of(path, "a pair of models"))


def test_a_second_row_of_an_id_is_left_out_and_told(path, capsys):
    written(path, [*PAIRS, pair(3, strong=0), pair(3)])

    found = recording(path)

    assert (30, "2 with the id of another") == (len(found.rows), found.left_out)
    assert "routing/some.jsonl.gz: 2 with the id of another\n" == capsys.readouterr().err


def test_the_same_response_twice_does_not_bear_itself_out(path):
    said = {"qid": "1", "setting": "zero_context", "response": "a", "claims": []}
    written(path, [said, {**said, "response": "b"}, said])

    assert ["a", "b"] == sorted(row["response"] for row in recording(path).rows)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param('{"id": ', "no JSON", id="cut off"),
        pytest.param("[1, 2]", "the row", id="no object"),
        pytest.param(pair(99, strong="yes"), "strong", id="wrong type"),
        pytest.param(pair(99, weak=3), "weak", id="out of range"),
        pytest.param(pair(99, weak=float("nan")), "weak", id="not a number"),
        pytest.param({"id": "q/99", "weak": 1, "strong": 1}, "prompt", id="lacks a field"),
    ],
)
def test_a_line_of_no_use_is_left_out_and_told(path, line, why):
    written(path, [PAIRS[0], line, *PAIRS[1:]])

    found = recording(path)

    assert 30 == len(found.rows)
    assert f"1 of 31 lines are of no use (line 2: {why}" in found.left_out


def test_with_many_such_lines_it_is_not_measured(path):
    written(path, [*PAIRS, *["garbage"] * 4])

    with pytest.raises(BrokenError, match="4 of 34 lines are of no use"):
        recording(path)


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param(lambda packed: packed[: len(packed) // 2], id="cut off"),
        pytest.param(lambda _: b"no gzip at all", id="not packed"),
        pytest.param(lambda p: p[:40] + bytes(b ^ 255 for b in p[40:60]) + p[60:], id="garbled"),
        pytest.param(lambda _: gzip.compress(b'{"id": "\xff"}'), id="not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_is_named(path, spoilt):
    written(path, [pair(i, domain=str(i * 7919 % 1013)) for i in range(200)])
    path.write_bytes(spoilt(path.read_bytes()))

    with pytest.raises(BrokenError, match=r"routing/some.jsonl.gz cannot be read: "):
        recording(path)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        pytest.param([], "is empty", id="no rows"),
        pytest.param([{"a": 1}], "is of no documented form", id="another form"),
    ],
)
def test_a_file_that_holds_nothing_documented_is_skipped(path, rows, why):
    written(path, rows)

    with pytest.raises(SkippedError, match=why) as told:
        recording(path)
    assert not isinstance(told.value, BrokenError)


def test_a_missing_file_is_named(path):
    with pytest.raises(SkippedError, match=r"some.jsonl.gz is missing"):
        rows_of(path, "scores")


def test_a_file_of_another_form_is_named(path):
    written(path, PAIRS)

    with pytest.raises(SkippedError, match="holds a pair of models, not scores"):
        rows_of(path, "scores")


def test_lines_end_at_line_feeds_alone(path):
    written(path, [json.dumps(pair(1, prompt="a\u2028b\x85c"), ensure_ascii=False)])

    assert "a\u2028b\x85c" == recording(path).rows[0]["prompt"]


def test_a_recording_is_found_wherever_it_lies_packed_or_not(tmp_path):
    loose = tmp_path / "deep/routellm_mmlu.jsonl"
    loose.parent.mkdir()
    loose.write_text("\n".join(map(json.dumps, PAIRS)))

    assert loose == located(tmp_path, "routing/routellm_mmlu")
    assert [loose] == files(tmp_path, "a pair of models")
    assert 30 == len(recording(loose).rows)


def test_files_that_are_not_measured_are_named(tmp_path):
    written(tmp_path / "routing/good.jsonl.gz", PAIRS)
    written(tmp_path / "routing/raw.jsonl.gz", [{"id": "1", "raw": {"a": "text"}}])
    written(tmp_path / "routing/strange.jsonl.gz", [{"a": 1}])
    (tmp_path / "routing/cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08")
    (tmp_path / "routing/table.parquet").write_bytes(b"PAR1")

    found = [(str(err).split()[0], isinstance(err, BrokenError)) for err in troubles(tmp_path)]

    names = ["routing/cut.jsonl.gz", "routing/strange.jsonl.gz", "routing/table.parquet"]
    assert list(zip(names, [True, False, False], strict=True)) == found


def test_of_a_very_long_file_a_stated_part_is_drawn(path, monkeypatch):
    monkeypatch.setattr(recordings, "MOST_ROWS", 10)
    written(path, PAIRS)

    found = recording(path)

    assert "10 of 30 rows are drawn" == found.left_out
    assert sorted(ids(path), key=lambda i: int(i[2:])) == ids(path)


@pytest.mark.parametrize(
    ("lenient", "expected"),
    [
        pytest.param({}, True, id="not recorded"),
        pytest.param({"ok": None}, False, id="null"),
        pytest.param({"ok": 1}, True, id="passed"),
    ],
)
def test_a_lenient_grade_that_is_null_is_no_pass(lenient, expected):
    call = {"raw": "f()", "valid": 1, **lenient}
    tool = {"name": "f", "parameters": {}}

    found = whole("tool calls", {"category": "simple", "functions": tool, "answers": {"m": call}})

    assert expected is found["answers"]["m"]["ok"]
