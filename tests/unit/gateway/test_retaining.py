"""A gateway removes what is older than configured, and never what it still needs."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.config.tree import Config
from services.gateway.retaining import kept, retaining
from services.ledger.sqlite import open_ledger
from tests.unit.ledger.chains import DAY_NS, NOON_NS, add, count

NOW = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)
MODEL = {"backend": "openai", "family": "f", "model": "m", "timeout_s": 5}


def config(budgets=None, **ledger):
    return Config.model_validate(
        {
            "models": {"a": MODEL},
            "ensembles": {"main": {"pattern": "jury", "jurors": [{"model": "a"}]}},
            "budgets": budgets or {},
            "ledger": ledger,
        }
    )


def since(keep):
    return datetime.fromtimestamp(keep.since_ns / 1e9, UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def test_what_is_younger_stays():
    assert NOW - timedelta(days=9) == since(kept(config(), timedelta(days=9), now=NOW))


@pytest.mark.parametrize(
    ("budgets", "start"),
    [
        pytest.param({}, datetime(2026, 3, 20, tzinfo=UTC), id="today"),
        pytest.param(
            {"b": {"max_usd": 1, "per": "hour"}}, datetime(2026, 3, 20, tzinfo=UTC), id="an hour's"
        ),
        pytest.param(
            {"b": {"max_usd": 1, "per": "hour"}, "c": {"max_usd": 1, "per": "month"}},
            datetime(2026, 3, 1, tzinfo=UTC),
            id="a month's",
        ),
    ],
)
def test_what_counts_in_the_present_period_of_a_budget_stays(budgets, start):
    assert start == since(kept(config(budgets), timedelta(0), now=NOW))


def test_what_a_copy_lacks_stays_where_there_is_to_be_one():
    assert not kept(config(), timedelta(days=1), now=NOW).uncopied
    assert kept(config(postgres={}), timedelta(days=1), now=NOW).uncopied


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a file changes, which tells nobody
            await asyncio.sleep(0.01)


async def test_it_begins_when_the_gateway_does(path):
    add(path, "old")
    add(path, "new", time_ns=NOON_NS + 10_000 * DAY_NS)

    async with open_ledger(path) as ledger, retaining(ledger, config(keep_for_days=30)):
        await until(lambda: 1 == count(path, "manifests"))


async def test_without_an_age_everything_stays(path):
    add(path, "old")

    async with open_ledger(path) as ledger, retaining(ledger, config()):
        await asyncio.sleep(0.05)

    assert 1 == count(path, "manifests")
