"""A page reads the ledger no longer than it may, and does without one."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.core.errors import LedgerError, UnknownRequestError
from services.gateway.console.reading import Limit, TooSlowError, reading
from services.gateway.console.statistics import KEPT_S, Kept
from services.ledger.sqlite import open_ledger
from tests.unit.console.manifests import manifest

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
NOW = datetime.now(UTC)


@pytest.fixture
async def ledger(tmp_path):
    """A ledger of five requests, one an hour, the last one just now."""
    path = tmp_path / "ledger.sqlite"
    async with open_ledger(path) as opened:
        for nth in range(5):
            asked = manifest(took_s=1.0, cost_usd=0.5)
            asked.request_id = f"r{nth}"
            asked.start_time.FromDatetime(NOW - timedelta(hours=4 - nth))
            await opened.begin(asked, fingerprint="f")
            asked.outcome = manifest_pb2.OUTCOME_ANSWERED
            await opened.finish(
                ensemble_pb2.AskResponse(request_id=asked.request_id, manifest=asked)
            )
        yield path


def test_what_takes_too_long_is_broken_off(ledger):
    began = time.monotonic()
    with pytest.raises(TooSlowError), reading(ledger, Limit.after(0.2)) as opened:
        opened.connection.execute(ENDLESS).fetchone()

    assert 5.0 > time.monotonic() - began


def test_a_page_that_nobody_waits_for_is_broken_off(ledger):
    limit = Limit.after(60.0)
    limit.stop()

    with pytest.raises(TooSlowError), reading(ledger, limit) as opened:
        opened.connection.execute(ENDLESS).fetchone()


def test_the_latest_come_first_and_no_more_than_wanted(ledger):
    with reading(ledger, Limit.after(60.0)) as opened:
        found = opened.latest(ensemble="main", since=NOW - timedelta(days=1), most=3)
        names = [each.request_id for each in found]

    assert ["r4", "r3", "r2"] == names


def test_what_began_before_is_left_out(ledger):
    with reading(ledger, Limit.after(60.0)) as opened:
        found = opened.latest(ensemble="", since=NOW - timedelta(minutes=90), most=99)
        names = [each.request_id for each in found]

    assert ["r4", "r3"] == names


def test_sums_are_by_stretch_and_ensemble(ledger):
    with reading(ledger, Limit.after(60.0)) as opened:
        totals = opened.totals(since=NOW - timedelta(days=1), every_s=10**9)

    assert [("main", 5, 2.5, 0)] == [
        (each.ensemble, each.requests, each.cost_usd, each.failed) for each in totals
    ]


def test_an_unknown_request_is_told(ledger):
    with pytest.raises(UnknownRequestError), reading(ledger, Limit.after(60.0)) as opened:
        opened.manifest("none")


def test_without_a_ledger_there_is_nothing(tmp_path):
    with reading(tmp_path / "none.sqlite", Limit.after(60.0)) as opened:
        found = (opened.manifest("r0"), opened.totals(since=NOW, every_s=60))

    assert (None, []) == found


def test_a_file_that_is_no_ledger_is_told(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_text("no ledger at all, but long enough to be read as a page of one" * 20)

    with pytest.raises(LedgerError), reading(path, Limit.after(60.0)) as opened:
        opened.totals(since=NOW, every_s=60)


def test_figures_are_made_once_in_a_while():
    now, made = [0.0], []
    kept = Kept(clock=lambda: now[0])

    def make():
        made.append(now[0])
        return len(made)

    assert [1, 1] == [kept.get("a", make), kept.get("a", make)]
    now[0] = KEPT_S + 1.0
    assert 2 == kept.get("a", make)
