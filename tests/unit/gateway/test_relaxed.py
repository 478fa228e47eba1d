"""In relaxed mode a request goes on though nothing can be written; in strict mode it does not."""

import threading
from contextlib import ExitStack, contextmanager

import pytest

from services.core.errors import DeadlineSpentError
from services.gateway import flow
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from tests.cases import case, tier
from tests.fakes import FAIL, PASS, ScriptedMesh


@contextmanager
def held(ledger):
    """In the block nothing can be committed."""
    busy, release = threading.Event(), threading.Event()
    ledger._writer.submit(lambda _: [busy.set(), release.wait(10)])
    assert busy.wait(5)
    try:
        yield
    finally:
        release.set()


async def test_a_reply_waits_for_no_commit(tmp_path):
    async with open_ledger(tmp_path / "ledger.sqlite", Terms(mode="relaxed")) as ledger:
        mesh = ScriptedMesh({"small": ["42"]}, verdicts=[PASS])
        with held(ledger):
            reply = await flow.ask(case(), mesh=mesh, ledger=ledger)

        assert "42" == reply.answer.text
        assert reply.manifest == await ledger.manifest("r1")


async def test_a_strict_one_asks_nobody_before(ledger):
    mesh = ScriptedMesh({"small": ["42"]}, verdicts=[PASS])
    with held(ledger), pytest.raises(DeadlineSpentError, match="to record the request"):
        await flow.ask(case(allowed_s=0.3), mesh=mesh, ledger=ledger)

    assert [] == mesh.asked


async def test_what_is_spent_is_told_without_waiting(ledger):
    """From the jury to the judge nothing can be written, and two tiers and a judge are asked."""
    mesh = ScriptedMesh({"small": ["41"], "large": ["42"]}, verdicts=[FAIL, PASS])
    deliberate, aggregate = mesh.deliberate, mesh.aggregate
    nothing_written = ExitStack()

    async def hold(request, *, deadline, watch=None):
        if not mesh.asked:
            nothing_written.enter_context(held(ledger))
        return await deliberate(request, deadline=deadline, watch=watch)

    async def release(request, *, deadline):
        if len(mesh.asked) == 2:
            nothing_written.close()
        return await aggregate(request, deadline=deadline)

    mesh.deliberate, mesh.aggregate = hold, release
    with nothing_written:
        reply = await flow.ask(case(tier("small"), tier("large")), mesh=mesh, ledger=ledger)

    assert ("42", ["small", "large"]) == (reply.answer.text, mesh.asked)
