"""What a request spends is told before it ends, so that the ledger knows it of one that dies."""

import asyncio
import shutil

import pytest

from gremium.v1 import manifest_pb2
from services.gateway import flow
from services.ledger.sqlite import open_ledger
from tests.cases import case, jury_case, tier
from tests.fakes import FAIL, PASS, ScriptedMesh
from tests.unit.gateway.test_losses import priced

UNDERWAY = manifest_pb2.PARTICIPATION_STATUS_UNSPECIFIED
FAILED = manifest_pb2.PARTICIPATION_STATUS_FAILED
TWO = (tier("small"), tier("large"))


async def stopped(asked, mesh, ledger, path, *, at):
    """The manifest of a request, and what the next start makes of it after a crash at a tier."""
    asking = asyncio.create_task(flow.ask(asked, mesh=mesh, ledger=ledger))
    async with asyncio.timeout(5):
        while at not in mesh.asked:  # noqa: ASYNC110 - the fake only takes note
            await asyncio.sleep(0.01)
    await asyncio.to_thread(ledger._writer.submit(lambda _: None).result, 5)
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.with_name(name), path.with_name(f"crashed-{name}"))
    running = await ledger.manifest("r1")
    asking.cancel()
    await asyncio.wait([asking])
    async with open_ledger(path.with_name(f"crashed-{path.name}")) as again:
        return running, await again.manifest("r1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


async def test_who_is_asked_may_have_been_paid(ledger, path):
    mesh = ScriptedMesh({"jury": ["42", "42", "42"]}, hangs=True)

    running, died = await stopped(priced(jury_case()), mesh, ledger, path, at="jury")

    parts = [part for part in died.participations if part.stage == manifest_pb2.STAGE_JURY]
    assert ["jury-0", "jury-1", "jury-2"] == [part.name for part in parts]
    assert {(FAILED, "INTERRUPTED", 2, True)} == {
        (part.status, part.reason, part.model_calls, part.usage_estimated) for part in parts
    }
    assert died.cost_usd == pytest.approx(sum(part.cost_usd for part in parts))
    assert (6, "INTERRUPTED") == (died.model_calls, died.error.reason)
    assert {UNDERWAY} == {part.status for part in running.participations if part.name}


async def test_what_was_spent_before_is_told_as_it_was(ledger, path):
    mesh = ScriptedMesh({"small": ["41"], "large": ["42"]}, verdicts=[FAIL, PASS])
    deliberate = mesh.deliberate

    async def hanging(request, *, deadline, watch=None):
        reply = await deliberate(request, deadline=deadline, watch=watch)
        await asyncio.sleep(60 if request.tier == "large" else 0)
        return reply

    mesh.deliberate = hanging
    _, died = await stopped(priced(case(*TWO)), mesh, ledger, path, at="large")

    told = [(part.name, part.tier, part.status) for part in died.participations if part.model]
    assert ("small-0", "small", manifest_pb2.PARTICIPATION_STATUS_ANSWERED) in told
    assert ("large-0", "large", FAILED) in told
    assert [""] == [answer.text for answer in died.answers]
