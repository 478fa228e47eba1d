"""The yardstick itself: what is loose, what is tight, and that the median counts."""

import pytest

from tests.fault.rows import Figure, Limit, judged, table


@pytest.mark.parametrize(
    ("limit", "loose"),
    [
        (Limit(0.05), 0.25),
        (Limit(0.9, at_least=True, ideal=1.0), 0.5),
        (Limit(0.5, at_least=True, ideal=1.0), 0.0),
    ],
)
def test_a_loose_limit_leaves_five_times_the_room(limit, loose):
    assert loose == pytest.approx(limit.loosened().value)


def test_the_median_is_judged():
    limit = Limit(1.0, unit="s")
    figures = [Figure("R1", "late", value, limit, 0.5) for value in (0.1, 9.0, 0.9)]

    (found,) = judged(figures)

    assert (0.9, 0.5, True) == (found.median, found.undisturbed, found.holds)
    assert "R1   late  0.5 s        0.9 s   ≤ 1 s  yes" in table([found])


def test_rows_come_in_their_order():
    figures = [Figure(row, "x", 2.0, Limit(1.0)) for row in ("R10", "R2")]

    assert [("R2", False), ("R10", False)] == [(e.row, e.holds) for e in judged(figures)]
