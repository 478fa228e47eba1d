"""The bench of decisions measures any file of the documented form, by the code that serves."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.decisions import SkippedError, ballots, early_stop, llmbar, votes
from bench.decisions.counted import counted
from bench.decisions.pools import pools
from bench.decisions_chart import draw

ACCURACIES = {"strong": 0.8, "fair": 0.7, "plain": 0.7, "weak": 0.5}


def recorded(n, seed=0):
    rng = np.random.default_rng(seed)
    for i in range(n):
        right = {name: bool(rng.random() < p) for name, p in ACCURACIES.items()}
        answers = {
            name: [str(i) if good else str(-int(rng.integers(1, 9))), int(good), 1, 9]
            for name, good in right.items()
        }
        yield {"id": str(i), "prompt": f"What is {i}?", "gold": str(i), "answers": answers}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    written(folder / "jury/zeroeval_sums.jsonl.gz", recorded(300))
    return folder


@pytest.fixture(scope="module")
def measured(data):
    """The rows of that file, and why those of others are missing."""
    return rows_of(data)


def rows_of(data):
    """All rows, and why others are missing."""
    found = []
    try:
        found.extend(votes.rows(data))
    except SkippedError as err:
        return found, str(err)
    return found, ""


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


def test_few_labels_weigh_by_the_jurors_priors(data):
    pool = next(read() for read in pools(data) if is_there(read))

    found = counted(pool, labels=40)

    assert found.right.mean() >= found.best.mean()
    assert (found.right != found.plain).any()


def is_there(read):
    try:
        read()
    except SkippedError:
        return False
    return True


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


def written(path, rows):
    path.parent.mkdir(exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def tool_calls(n, seed=0):
    """Recorded tool calls of models that no table is about."""
    rng = np.random.default_rng(seed)
    city = {"type": "dict", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    for i in range(n):
        answers = {}
        for name, p in ACCURACIES.items():
            good = bool(rng.random() < p)
            called = [{"weather": {"city": f"c{i}" if good else f"w{rng.integers(4)}"}}]
            answers[name] = {"raw": json.dumps(called), "valid": good, "ok": good}
        yield {
            "id": str(i),
            "category": "simple",
            "functions": [{"name": "weather", "parameters": city}],
            "answers": answers,
        }


def worked(n, seed=0):
    """Recorded word problems, each answer with its working."""
    for row in recorded(n, seed):
        said = {
            name: {"ans": text, "correct": good, "text": f"1 + 1 = 2, and so on.\n#### {text}"}
            for name, (text, good, *_) in row["answers"].items()
        }
        yield {**row, "answers": said}


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


@pytest.mark.parametrize("part", [ballots, early_stop])
def test_a_part_whose_models_are_not_there_is_skipped(tmp_path, part):
    written(tmp_path / "jury/bfcl_25models.jsonl.gz", tool_calls(20))

    with pytest.raises(SkippedError, match="lacks answers of"):
        list(part.rows(tmp_path))


def test_judges_that_are_not_there_are_skipped(tmp_path):
    written(tmp_path / "judge/llmbar_with_judges.jsonl.gz", [{"judges": {}, "label": 1}])

    with pytest.raises(SkippedError, match="lacks verdicts of"):
        list(llmbar.rows(tmp_path))


def test_without_any_figure_it_fails(tmp_path):
    script = Path(__file__).parents[3] / "bench/decisions.py"
    command = [sys.executable, str(script), "--data", str(tmp_path), "--only", "votes"]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert 1 == ended.returncode
    assert "votes: skipped: " in ended.stderr
