"""A file that another program holds longer than is waited for costs requests, and no record."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest

from gremium.v1.manifest_pb2 import MANIFEST_STATE_COMPLETED
from services.core.errors import LedgerError
from services.ledger.sqlite import open_ledger
from services.ledger.verify import Proofs, verify
from tests.unit.ledger.entries import ended, intent

BUSY_S = 0.05


OTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path):
    """Another program has the file while the block lasts: nobody else can write."""
    command = [sys.executable, "-c", OTHER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert b"held\n" == other.stdout.readline()
        yield


async def test_an_end_that_could_not_be_recorded_is_once_it_can(path):
    async with open_ledger(path, busy_s=BUSY_S) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        with held(path):
            finishing = asyncio.create_task(ledger.finish(ended(intent())))
            await asyncio.sleep(3 * BUSY_S)
            assert not finishing.done()
        await finishing

        assert MANIFEST_STATE_COMPLETED == (await ledger.manifest("r1")).state


async def test_it_is_recorded_though_its_caller_has_left(path):
    async with open_ledger(path, busy_s=BUSY_S) as ledger:
        await ledger.begin(intent(), fingerprint="f")
        with held(path), pytest.raises(TimeoutError):
            async with asyncio.timeout(3 * BUSY_S):
                await ledger.finish(ended(intent()))

    async with open_ledger(path) as ledger:
        assert MANIFEST_STATE_COMPLETED == (await ledger.manifest("r1")).state


async def test_of_many_at_once_all_that_were_told_so_are_recorded_once(path):
    async def ask(ledger, nth):
        try:
            await ledger.begin(intent(f"r{nth}"), fingerprint="f")
        except LedgerError:
            return None
        await ledger.finish(ended(intent(f"r{nth}")))
        return f"r{nth}"

    async with open_ledger(path, busy_s=BUSY_S) as ledger:
        first = [asyncio.create_task(ask(ledger, nth)) for nth in range(20)]
        with held(path):
            await asyncio.wait(first, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        told = await asyncio.gather(*first, *(ask(ledger, nth) for nth in range(20, 40)))

    with closing(sqlite3.connect(path)) as connection:
        ends = [id_ for (id_,) in connection.execute("SELECT request_id FROM records")]
    assert sorted(filter(None, told)) == sorted(ends)
    assert 20 <= len(ends) < 40
    assert verify(path, Proofs()).fault is None
