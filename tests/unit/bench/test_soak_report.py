"""What a soak's samples show: growth, or none."""

import random

import pytest

from bench.soak_load import Got
from bench.soak_report import judged, summary, table
from bench.soak_watch import Sample

MIB = 2**20


def samples(*, rss=0.0, tasks=0.0, jump=0, cancelled=100, count=120):
    """A process that gains so many bytes and tasks with each sample, after a start with a jump."""
    chance = random.Random(3)  # noqa: S311 - the same series each time
    for nth in range(count):
        held = 100 * MIB + rss * nth + (jump if nth > count / 4 else 0)
        noisy = chance.uniform(-1, 1)
        yield Sample(
            at_s=5.0 * nth,
            cancelled=cancelled * nth,
            service="jury",
            rss=int(held + 1000 * noisy),
            descriptors=20,
            tasks=int(30 + tasks * nth + 5 * noisy),
            threads=9,
        )


def verdicts(*args, **kwargs):
    return {line.measure: line.holds() for line in judged(list(samples(*args, **kwargs)))}


def test_what_does_not_grow_holds():
    assert {"rss": True, "descriptors": True, "tasks": True, "threads": True} == verdicts()


def test_a_leak_of_tasks_shows():
    assert verdicts(tasks=0.2)["tasks"] is False


def test_what_grows_while_it_starts_does_not_count():
    assert all(verdicts(jump=20 * MIB).values())


@pytest.mark.parametrize(
    ("bytes_per_call", "holds"),
    [pytest.param(90, True, id="0.9 %"), pytest.param(200, False, id="2 %")],
)
def test_memory_may_grow_by_a_hundredth_with_ten_thousand_cancelled_calls(bytes_per_call, holds):
    assert holds is verdicts(rss=bytes_per_call * 100)["rss"]


def test_memory_that_grows_with_no_call_cancelled_leaks():
    assert verdicts(rss=20_000, cancelled=0)["rss"] is False


def test_less_than_a_mebibyte_in_all_is_no_growth():
    assert verdicts(rss=10_000, cancelled=0)["rss"] is True


def test_too_few_samples_say_nothing():
    assert [] == judged(list(samples(count=9)))


def test_the_table_has_a_line_for_each_measure():
    lines = judged(list(samples(tasks=0.2)))

    rows = table(lines).splitlines()

    assert 1 + 4 == len(rows)
    assert [row.split()[-1] for row in rows[1:]] == ["yes", "yes", "NO", "yes"]


def test_the_summary_counts_what_callers_got():
    got = [Got(30.0, 0.1, "answered"), Got(60.0, 0.1, "answered"), Got(45.0, 0.1, "left")]

    assert summary(got, cancelled=7) == (
        "3 requests in 1.0 minutes: 2 answered, 1 left; 7 cancelled calls of jurors"
    )
