"""README's promises are the rows that are tested, and get the figures that were measured."""

import pathlib
import re

import pytest

from bench.promises import README, ROW, cell, filled, used

ROOT = pathlib.Path(__file__).resolve().parents[3]
TABLE = """\
| | promise | measured |
|---|---|---|
| R1 | in time | |
| R2 | shrinks | old |
| R11 | hedges | |
other | R1 | text |"""


def figure(row, what, median, limit):
    return {"row": row, "what": what, "median": median, "limit": limit}


EARLY = figure("R1", "early by", 0.01, "≤ 0.05 s")
LATE = figure("R1", "late by", 0.04, "≤ 0.05 s")
MOST = figure("R11", "saved", 0.717, "≥ 0.5")


def test_a_row_gets_the_figure_nearest_to_its_limit():
    assert "late by 0.04 s (≤ 0.05 s)" == cell([EARLY, LATE])
    assert "saved 0.717 (≥ 0.5)" == cell([MOST])


def test_only_what_was_measured_is_filled_in_and_again_if_need_be():
    once = filled(TABLE, [EARLY, LATE, MOST])

    assert "| R1 | in time | late by 0.04 s (≤ 0.05 s) |" in once
    assert "| R2 | shrinks | old |" in once
    assert "| R11 | hedges | saved 0.717 (≥ 0.5) |" in once
    assert once.endswith("other | R1 | text |")
    assert once == filled(once, [EARLY, LATE, MOST])


@pytest.mark.parametrize(
    ("median", "limit", "share"),
    [
        (0.5, "≤ 1 s", 0.5),
        (2.0, "≤ 1", 2.0),
        (1.0, "≥ 0.5", 0.5),
        (0.25, "≥ 0.5", 2.0),
        (0.0, "≤ 0", 0.0),
        (1.0, "≤ 0", float("inf")),
        (0.0, "≥ 0.5", float("inf")),
    ],
)
def test_the_share_of_a_limit_that_is_used(median, limit, share):
    assert share == used(figure("R1", "x", median, limit))


def test_the_readme_promises_every_row_and_names_its_tests():
    lines = [line for line in README.read_text().split("\n") if ROW.match(line)]
    shown = [re.findall(r"\]\((tests/fault/\S+?)\)", line) for line in lines]

    assert [f"R{n}" for n in range(1, 21)] == [ROW.match(line)[1] for line in lines]
    for nth, paths in enumerate(shown, start=1):
        assert paths
        assert {f"tests/fault/test_r{nth:02}_"} == {
            path[: len("tests/fault/test_r00_")] for path in paths
        }
        assert all((ROOT / path).is_file() for path in paths)
