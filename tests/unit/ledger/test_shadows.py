"""What shadows have cost today counts against their budgets, whatever became of them."""

from datetime import UTC, datetime, timedelta

import pytest

from gremium.v1 import shadow_pb2
from gremium.v1.ledger_pb2 import RECORD_KIND_SHADOW
from services.ledger.shadows import charges
from services.runtime.wire import timestamp_to_wire
from tests.unit.ledger.entries import intent

NOW = datetime.now(UTC)
EARLIER = NOW - timedelta(hours=1)
EQUAL = shadow_pb2.SHADOW_VERDICT_EQUAL


@pytest.fixture
def add(ledger):
    """Record a shadow of a request."""

    async def added(request_id, **fields):
        record = shadow_pb2.ShadowRecord(
            request_id=request_id,
            ensemble="main",
            tier_shadow="cheap",
            start_time=timestamp_to_wire(NOW),
            reserved_usd=0.5,
            **fields,
        )
        await ledger.append(RECORD_KIND_SHADOW, request_id, record.SerializeToString())

    return added


async def begun(ledger, *request_ids):
    for request_id in request_ids:
        await ledger.begin(intent(request_id), fingerprint="f")


async def test_one_that_never_ended_counts_for_all_that_it_could_spend(ledger, path, add):
    await begun(ledger, "r1")
    await add("r1")

    (charge,) = charges(path, EARLIER)

    assert ("main", "", 0.5) == (charge.ensemble, charge.caller, charge.usd)
    assert abs(charge.started - NOW) < timedelta(seconds=1)


async def test_one_that_ended_counts_once_for_what_it_cost(ledger, path, add):
    await begun(ledger, "r1", "r2")
    await add("r1")
    await add("r2")
    await add("r1", verdict=EQUAL, shadow_cost_usd=0.1, comparison_cost_usd=0.02)

    assert [0.12, 0.5] == sorted(round(each.usd, 9) for each in charges(path, EARLIER))


async def test_earlier_ones_do_not_count(ledger, path, add):
    await begun(ledger, "r1")
    await add("r1")

    assert [] == charges(path, datetime.now(UTC) + timedelta(minutes=1))
