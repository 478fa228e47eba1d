"""What was spent is added up by ensemble and stretch, and nothing is lost by it."""

from datetime import UTC, datetime

from services.gateway.console.periods import PERIODS, period_of
from services.gateway.console.reading import Total
from services.gateway.console.spending import OTHERS, SERIES, spread


def total(name, begins_s, usd, requests=1, failed=0):
    return Total(name, begins_s, requests, usd, failed)


def test_stretches_without_spend_are_there_too():
    spend = spread(
        [total("a", 200, 2.0), total("a", 400, 1.0)], since_s=200, until_s=450, every_s=100
    )

    assert (200, 300, 400) == spend.begins_s
    assert ((2.0, 0.0, 1.0),) == spend.usd
    assert (1, 0, 1) == spend.requests


def test_the_dearest_ensemble_is_first():
    spend = spread(
        [total("a", 0, 1.0), total("b", 0, 5.0, requests=4, failed=2)],
        since_s=0,
        until_s=0,
        every_s=60,
    )

    assert ("b", "a") == spend.names
    assert (("b", 4, 2, 5.0), ("a", 1, 0, 1.0)) == spend.totals


def test_many_ensembles_are_added_up_beyond_the_chart():
    totals = [total(f"e{nth}", 0, float(nth + 1)) for nth in range(SERIES + 3)]
    spend = spread(totals, since_s=0, until_s=0, every_s=60)

    assert (SERIES + 1, OTHERS) == (len(spend.names), spend.names[-1])
    assert sum(t.cost_usd for t in totals) == sum(column[0] for column in spend.usd)
    assert SERIES + 3 == len(spend.totals)


def test_the_table_lists_what_was_asked_latest_first():
    spend = spread([total("a", 0, 1.0), total("b", 60, 2.0)], since_s=0, until_s=200, every_s=60)

    assert [(60, 2.0, [2.0, 0.0]), (0, 1.0, [0.0, 1.0])] == [
        (int(begin.timestamp()), usd, columns) for begin, _, usd, columns in spend.rows
    ]


def test_a_period_begins_with_a_whole_stretch():
    now = datetime(2026, 11, 26, 13, 47, tzinfo=UTC)

    assert datetime(2026, 11, 25, 14, 0, tzinfo=UTC) == PERIODS["1d"].since(now)
    assert PERIODS["7d"] is period_of("no such period")
