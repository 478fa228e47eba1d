"""The yardstick itself: what is loose, what is tight, and that the median counts."""

import json
import os

import pytest

from bench.promises import refused
from tests.fault import conftest
from tests.fault.conftest import Row
from tests.fault.five import TURNS_TOLD
from tests.fault.rows import Figure, Limit, as_json, beside, judged, sound, table

pytest_plugins = ("pytester",)


@pytest.mark.parametrize(
    ("limit", "loose"),
    [
        (Limit(0.05), 0.25),
        (Limit(0.0), 0.0),
        (Limit(1.1, ideal=1.0), 1.5),
        (Limit(3.0, ideal=3.0), 3.0),
        (Limit(0.9, at_least=True, ideal=1.0), 0.5),
    ],
)
def test_a_loose_limit_leaves_five_times_the_room_from_the_ideal(limit, loose):
    assert loose == pytest.approx(limit.loosened().value)


@pytest.mark.parametrize("value", [0.05, 0.4, 0.5, 0.6, 0.9])
@pytest.mark.parametrize("at_least", [True, False])
def test_a_loosened_share_can_still_be_missed(value, at_least):
    loose = Limit(value, at_least=at_least, share=True).loosened().value

    assert 0.0 < loose < 1.0
    assert (loose < value) is at_least


def test_what_a_partial_run_did_not_measure_is_kept():
    limit = Limit(1.0)
    first = judged([Figure("R1", "late", 0.5, limit), Figure("R2", "late", 0.5, limit)])
    second = judged([Figure("R2", "late", 0.7, limit)])

    told = beside(second, as_json(beside(first, "[]")))

    assert [("R1", 0.5), ("R2", 0.7)] == [(each["row"], each["median"]) for each in told]


def test_the_median_is_judged():
    limit = Limit(1.0, unit="s")
    figures = [Figure("R1", "late", value, limit, 0.5) for value in (0.1, 9.0, 0.9)]

    (found,) = judged(figures)

    assert (0.9, 0.5, True) == (found.median, found.undisturbed, found.holds)
    assert "R1   late  0.5 s        0.9 s   ≤ 1 s  yes" in table([found])


@pytest.mark.parametrize("ideal", [0.0, 3.0])
@pytest.mark.parametrize("tight", [True, False])
def test_what_must_never_happen_fails_in_whichever_run_it_does(tight, ideal):
    row = Row(tight=tight)
    row.at_most("R1", "lost", ideal, ideal, ideal=ideal)

    with pytest.raises(AssertionError, match="R1 lost: "):
        row.at_most("R1", "lost", ideal + 1, ideal, ideal=ideal)


def test_the_first_of_what_must_never_happen_is_shown():
    row = Row(tight=True)
    row.none("R1", "lost", [])

    with pytest.raises(AssertionError, match="R1 lost: 2, not ≤ 0; one"):
        row.none("R1", "lost", ["one", "other"])


def test_a_tight_run_may_be_slow_once():
    row = Row(tight=True)

    row.at_most("R1", "late", 9.0, 0.05, unit="s")
    row.at_least("R1", "kept", 0.1, 0.9)

    assert [False, False] == [each.holds for each in judged(row.figures)]


RUN = """\
    def test_late(row):
        row.at_most("R1", "late", {late}, 1.0)

    def test_soon(row):
        row.at_most("R1", "soon", 0.1, 1.0)
        assert {passes}
"""
OTHER = """\
    def test_lost(row):
        row.none("R3", "lost", [])
"""
EARLIER = '[{"row": "R2", "what": "earlier"}]'
HOLDS = {("R3", "lost")}


@pytest.fixture
def ran(pytester, monkeypatch):
    """Runs tests that measure two rows: its exit code, its last words, and the figures kept then."""
    kept = pytester.path / "fault.json"
    kept.write_text(EARLIER)
    monkeypatch.setattr(conftest, "OUT", kept)
    monkeypatch.setenv(TURNS_TOLD, os.environ.get(TURNS_TOLD, "1"))  # the run within tells its own

    def run(*options, late=0.5, passes=True):
        pytester.makepyfile(test_r01_x=RUN.format(late=late, passes=passes), test_r03_x=OTHER)
        done = pytester.runpytest_inprocess("-p", "no:asyncio", *options, plugins=[conftest])
        figures = {(each["row"], each["what"]) for each in json.loads(kept.read_text())}
        return done.ret, done.stdout.str(), figures - {("R2", "earlier")}

    return run


def test_figures_of_a_run_that_holds_are_kept(ran):
    code, said, kept = ran("--tight")

    assert (pytest.ExitCode.OK, {("R1", "late"), ("R1", "soon"), *HOLDS}) == (code, kept)
    assert "all 3 figures hold: " in said


def test_a_missed_median_fails_the_run_which_says_so_and_keeps_other_rows(ran):
    code, said, kept = ran("--tight", late=1.5)

    assert (pytest.ExitCode.TESTS_FAILED, HOLDS) == (code, kept)
    assert "no figure of R1 is kept" in said
    assert "these miss their limits: R1 late" in said


def test_a_failed_test_keeps_none_of_its_row_though_all_figures_hold(ran):
    code, said, kept = ran("--tight", passes=False)

    assert (pytest.ExitCode.TESTS_FAILED, HOLDS) == (code, kept)
    assert "no figure of R1 is kept" in said
    assert "a test failed in test_r01_x.py" in said


def test_a_row_of_which_a_test_failed_that_measures_nothing_is_not_kept():
    found = judged([Figure("R1", "late", 0.5, Limit(1.0), module="test_degraded.py")])

    assert [] == sound(found, {"test_r01_more.py"})
    assert found == sound(found, {"test_r02_other.py"})


def test_a_loose_run_keeps_nothing(ran):
    code, said, kept = ran()

    assert (pytest.ExitCode.OK, set()) == (code, kept)
    assert "fault.json" not in said


def test_rows_come_in_their_order():
    figures = [Figure(row, "x", 2.0, Limit(1.0)) for row in ("R10", "R2")]

    assert [("R2", False), ("R10", False)] == [(e.row, e.holds) for e in judged(figures)]


@pytest.mark.parametrize(
    ("values", "is_refused"), [((0.5,) * 5, False), ((0.5,) * 4, True), ((2.0,) * 5, True)]
)
def test_only_figures_of_five_runs_that_hold_are_told(values, is_refused):
    (found,) = judged([Figure("R1", "late", value, Limit(1.0)) for value in values])

    assert is_refused is bool(refused([found.told()]))
