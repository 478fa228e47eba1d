"""The bench of decisions measures any file of the documented form, by the code that serves."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.decisions import BrokenError, Row, SkippedError, apart
from bench.decisions.counted import counted
from bench.decisions.pools import pools
from bench.decisions.signals import PARTS, Answers, told_apart
from bench.decisions_chart import draw
from bench.recordings import recording
from services.calibration.votes import Votes, folds
from tests.unit.bench.on_disk import is_there, recorded, rows_of, tool_calls, worked, written


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    written(folder / "jury/zeroeval_sums.jsonl.gz", recorded(300))
    return folder


@pytest.fixture(scope="module")
def measured(data):
    """The rows of that file, and why those of others are missing."""
    return rows_of(data)


def test_measures_a_file_it_was_not_written_for(measured):
    found, skipped = measured

    assert "zeroeval_sums all" == found[0].measure
    assert "zeroeval_gsm.jsonl.gz is missing" in skipped


def test_a_vote_of_jurors_that_err_apart_beats_the_best(measured):
    found, _ = measured

    assert found[0].ours > found[0].baseline + 3
    assert found[0].interval[0] > 0


def test_probabilities_of_the_recorded_pool_hold(measured):
    found, _ = measured

    assert [True] == [row.holds for row in found if "ECE" in row.measure]


def test_few_labels_weigh_by_the_jurors_priors(pool):
    found = counted(pool, labels=40)

    assert found.right.mean() >= found.best.mean()
    assert (found.right != found.plain).any()


def test_the_plot_shows_every_pool(measured, tmp_path):
    shown = [row.figure for row in measured[0] if row.figure]

    draw(shown, tmp_path / "decisions.png")

    assert [("zeroeval_sums all", 300)] == [(pool.name, pool.prompts) for pool in shown]
    assert shown[0].plain < shown[0].ours < shown[0].oracle
    assert (tmp_path / "decisions.png").read_bytes().startswith(b"\x89PNG")


def test_the_plot_tells_how_often_each_confidence_was_right(measured):
    (shown,) = (row.figure for row in measured[0] if row.figure)

    told = [told for told, _ in shown.bins]
    assert told == sorted(told)
    assert shown.ours / 100 == pytest.approx(np.mean([right for _, right in shown.bins]), abs=0.01)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        pytest.param("bfcl_25models", tool_calls(120), id="other models under the same name"),
        pytest.param("bfcl_9models", tool_calls(120), id="other tool calls"),
        pytest.param("gsm8k_8models", worked(120), id="word problems"),
    ],
)
def test_other_models_are_a_pool_of_all(tmp_path, name, rows):
    written(tmp_path / f"jury/{name}.jsonl.gz", rows)

    found, _ = rows_of(tmp_path)

    assert ["all"] == [row.measure.split()[-1] for row in found if row.figure]
    assert 70 < found[0].ours <= found[0].figure.oracle


def run(data, *options, **env):
    script = Path(__file__).parents[3] / "bench/decisions.py"
    command = [sys.executable, str(script), "--data", str(data), *options]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | env
    )


def test_without_any_figure_it_fails(tmp_path):
    ended = run(tmp_path, "--only", "votes")

    assert 1 == ended.returncode
    assert "votes: skipped: " in ended.stderr


def test_a_folder_that_is_not_there_is_an_error_of_use(tmp_path):
    ended = run(tmp_path / "nowhere")

    assert (2, True) == (ended.returncode, "nowhere is no folder" in ended.stderr)


def test_rows_in_another_order_and_a_garbled_file_change_no_figure(tmp_path, measured):
    mixed = [dict(reversed(row.items())) for row in recorded(300)][::-1]
    written(tmp_path / "jury/zeroeval_sums.jsonl.gz", mixed)
    (tmp_path / "jury/zeroeval_cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00")

    ended = run(tmp_path, "--only", "votes", "--json", PYTHONHASHSEED="7")

    told = [(row["measure"], row["ours"], row["note"]) for row in json.loads(ended.stdout)]
    assert [(row.measure, row.ours, row.note) for row in measured[0]] == told
    assert "not measured: jury/zeroeval_cut.jsonl.gz cannot be read: " in ended.stderr
    assert (1, False) == (ended.returncode, "Traceback" in ended.stderr)


@pytest.fixture(scope="module")
def pool(data):
    return next(read() for read in pools(data) if is_there(read))


def inverted(votes, at):
    return Votes(votes.jurors, votes.keys, np.where(at[:, np.newaxis], ~votes.right, votes.right))


def test_labels_of_held_out_prompts_change_no_decision_on_them(pool):
    held = folds(300, parts=5, seed=0) == 2
    one = counted(pool)
    other = counted(replace(pool, votes=inverted(pool.votes, held)))

    np.testing.assert_array_equal(one.sure[held], other.sure[held])
    for told in ("right", "open_right", "best", "plain"):
        np.testing.assert_array_equal(getattr(one, told)[held], ~getattr(other, told)[held])


def test_with_labels_of_chance_the_figures_are_of_chance(pool):
    rng = np.random.default_rng(1)
    keys = tuple(tuple(f"{i} {j}" for j in range(4)) for i in range(300))
    chance = Votes(pool.votes.jurors, keys, rng.random((300, 4)) < 0.5)

    found = counted(replace(pool, votes=chance))

    assert abs(found.right.mean() - 0.5) < 0.1
    assert abs(found.sure.mean() - 0.5) < 0.1


def test_labels_of_held_out_answers_change_nothing_that_is_told_of_them():
    rng = np.random.default_rng(0)
    ok = rng.random(200) < 0.5
    signals = [{"a": float(x)} for x in rng.normal(ok, 1.0)]
    held = folds(200, parts=PARTS, seed=0) == 1
    groups = [f"{i:03}" for i in range(200)]

    one = told_apart(Answers(signals, ok, groups))
    other = told_apart(Answers(signals, ok ^ held, groups))

    np.testing.assert_array_equal(one.p_ok[held], other.p_ok[held])
    assert (one.p_ok[~held] != other.p_ok[~held]).any()


def test_what_goes_wrong_in_one_group_is_told_and_the_others_go_on():
    row = Row("fine", 1.0, None, 1.0, holds=True)

    def broken():
        yield row
        raise KeyError("lat")

    def skipped():
        raise SkippedError("nothing there")
        yield

    found = []
    with pytest.raises(BrokenError, match=r"KeyError in test_decisions.py:\d+: 'lat'; nothing"):
        found.extend(apart([broken, skipped, lambda: [row]]))

    assert [row, row] == found


def test_recordings_are_read_once(data):
    path = data / "jury/zeroeval_sums.jsonl.gz"

    assert recording(path) is recording(path)
