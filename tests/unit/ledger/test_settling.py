"""Words that take long to settle hold up their own request, and no other."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from gremium.v1.manifest_pb2 import MANIFEST_STATE_COMPLETED, MANIFEST_STATE_IN_PROGRESS, Feedback
from services.ledger.redaction import Redactor
from services.ledger.settling import AT_ONCE_BYTES
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from services.ledger.texts import Texts
from tests.unit.ledger.entries import ended, intent

LONG = "x" * AT_ONCE_BYTES
LIMIT_S = 5.0


@dataclass
class Slow(Redactor):
    """Takes for a long text as long as it is told to, and fails on demand."""

    begun: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    fails: bool = False

    def redacted(self, text):
        if len(text) < AT_ONCE_BYTES:
            return text
        self.begun.set()
        assert self.released.wait(LIMIT_S)
        return f"{text[:1]}" if not self.fails else 1 / 0


@pytest.fixture
def slow():
    redactor = Slow()
    yield redactor
    redactor.released.set()


def terms(slow, **other):
    return Terms(texts=Texts("answers", slow), replay_for_s=0.0, **other)


@pytest.fixture
async def ledger(path, slow):
    async with open_ledger(path, terms(slow)) as opened:
        yield opened


async def finishing(ledger, slow, text=LONG):
    """The end of a request whose words are being settled."""
    await ledger.begin(intent(), fingerprint="f")
    task = asyncio.create_task(ledger.finish(ended(intent(), text=text)))
    assert await asyncio.to_thread(slow.begun.wait, LIMIT_S)
    return task


async def whole(ledger, name):
    async with asyncio.timeout(LIMIT_S):
        await ledger.begin(intent(name), fingerprint="f")
        await ledger.finish(ended(intent(name)))


async def test_another_request_is_acknowledged_meanwhile(ledger, slow):
    task = await finishing(ledger, slow)
    await whole(ledger, "r2")

    assert not task.done()
    slow.released.set()
    await task
    assert "x" == (await ledger.manifest("r1")).answers[0].text


async def test_what_people_say_holds_up_nobody_either(ledger, slow):
    await whole(ledger, "r1")
    saying = asyncio.create_task(ledger.add_feedback("r1", Feedback(comment=LONG)))
    assert await asyncio.to_thread(slow.begun.wait, LIMIT_S)
    await whole(ledger, "r2")

    slow.released.set()
    assert "x" == (await saying).comment


async def test_it_is_recorded_though_its_caller_has_left(ledger, slow):
    task = await finishing(ledger, slow)
    task.cancel()
    await asyncio.wait([task])
    slow.released.set()
    await ledger.flush(within_s=LIMIT_S)

    assert MANIFEST_STATE_COMPLETED == (await ledger.manifest("r1")).state


async def test_a_failure_is_its_callers(ledger, slow):
    slow.fails = True
    task = await finishing(ledger, slow)
    slow.released.set()

    with pytest.raises(ZeroDivisionError):
        await task
    assert MANIFEST_STATE_IN_PROGRESS == (await ledger.manifest("r1")).state


async def test_the_end_of_the_ledger_waits_for_it(path, slow):
    async with open_ledger(path, terms(slow)) as ledger:
        task = await finishing(ledger, slow)
        asyncio.get_running_loop().call_later(0.1, slow.released.set)
    await task

    async with open_ledger(path) as ledger:
        assert MANIFEST_STATE_COMPLETED == (await ledger.manifest("r1")).state


async def test_relaxed_nobody_waits_for_it_but_who_reads_it(path, slow):
    async with open_ledger(path, terms(slow, mode="relaxed")) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        async with asyncio.timeout(LIMIT_S):
            await ledger.finish(ended(intent(), text=LONG))
        asyncio.get_running_loop().call_later(0.1, slow.released.set)

        assert "x" == (await ledger.manifest("r1")).answers[0].text
