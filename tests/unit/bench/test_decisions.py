"""The bench of decisions measures any file of the documented form, by the code that serves."""

import gzip
import json

import numpy as np
import pytest

from bench.decisions import SkippedError, votes
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


@pytest.fixture
def data(tmp_path):
    (tmp_path / "jury").mkdir()
    with gzip.open(tmp_path / "jury/zeroeval_sums.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in recorded(300))
    return tmp_path


def rows_of(data):
    """All rows, and why others are missing."""
    found = []
    try:
        found.extend(votes.rows(data))
    except SkippedError as err:
        return found, str(err)
    return found, ""


def test_measures_a_file_it_was_not_written_for(data):
    found, skipped = rows_of(data)

    assert "zeroeval_sums all" == found[0].measure
    assert "zeroeval_gsm.jsonl.gz is missing" in skipped


def test_a_vote_of_jurors_that_err_apart_beats_the_best(data):
    found, _ = rows_of(data)

    assert found[0].ours > found[0].baseline + 3
    assert found[0].interval[0] > 0


def test_probabilities_of_the_recorded_pool_hold(data):
    found, _ = rows_of(data)

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


def test_the_plot_shows_every_pool(data, tmp_path):
    shown = [row.figure for row in rows_of(data)[0] if row.figure]

    draw(shown, tmp_path / "decisions.png")

    assert [("zeroeval_sums all", 300)] == [(pool.name, pool.prompts) for pool in shown]
    assert shown[0].plain < shown[0].ours < shown[0].oracle
    assert (tmp_path / "decisions.png").read_bytes().startswith(b"\x89PNG")


def test_the_plot_tells_how_often_each_confidence_was_right(data):
    (shown,) = (row.figure for row in rows_of(data)[0] if row.figure)

    told = [told for told, _ in shown.bins]
    assert told == sorted(told)
    assert shown.ours / 100 == pytest.approx(np.mean([right for _, right in shown.bins]), abs=0.01)
