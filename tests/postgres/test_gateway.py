"""A gateway copies its ledger to PostgreSQL, and no request waits for that."""

import asyncio
import json
import time
from contextlib import asynccontextmanager, contextmanager

import pytest
from click.testing import CliRunner

from gremium.v1.ledger_pb2 import RECORD_KIND_END
from services.cli.ledger_status import status
from services.cli.ledger_verify import verify
from services.core.errors import LedgerError
from services.ledger import postgres_mirror
from services.ledger.postgres_verify import verify_copies
from services.ledger.status import status_of
from services.ledger.verify import Proofs
from tests.mesh.meshes import Gateway, gateway, local_mesh, written
from tests.postgres.chains import Place, until
from tests.postgres.proxy import Proxy
from tests.upstream import upstream

VARIABLE = "GREMIUM_POSTGRES_URL"
JURY = {"jurors": [{"model": name} for name in ("a", "b", "c")]}
TIMEOUT_S = 3.0


@asynccontextmanager
async def serving(folder):
    """A gateway with a copy behind its ledger."""
    async with upstream() as provider:
        ledger = {"postgres": {"timeout_s": TIMEOUT_S}}
        loaded = written(folder / "gremium.yaml", JURY, provider.url, ledger=ledger)
        async with local_mesh(loaded, ()) as mesh, gateway(loaded, mesh) as stub:
            yield Gateway(stub, provider)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr(postgres_mirror, "LONGEST_PAUSE_S", 0.2)


@contextmanager
def down(place: Place, proxy: Proxy):
    place.server.stop()
    yield
    place.server.start()


@contextmanager
def silent(place: Place, proxy: Proxy):
    proxy.silent = True
    yield
    proxy.silent = False


@contextmanager
def locked(place: Place, proxy: Proxy):
    with place.server.connect(schema=place.schema) as holder, holder.transaction():
        holder.execute("LOCK TABLE gremium_records IN ACCESS EXCLUSIVE MODE")
        yield


def ends(place: Place) -> list[str]:
    """Requests by the records that are there, in their order."""
    found = place.rows(
        "SELECT request_id FROM gremium_records WHERE kind = %s ORDER BY seq", RECORD_KIND_END
    )
    return [request_id for (request_id,) in found]


def run(command, folder, *options: str):
    """What a command of `gremium ledger` says as JSON."""
    told = [*options, "--config", str(folder / "gremium.yaml"), "--json"]
    done = CliRunner().invoke(command, told, standalone_mode=False, catch_exceptions=False)
    return json.loads(done.output)


@pytest.mark.parametrize("hindrance", [down, silent, locked])
async def test_no_request_waits_for_the_database(tmp_path, place, proxy, monkeypatch, hindrance):
    monkeypatch.setenv(VARIABLE, place.url(host=proxy.address))
    async with serving(tmp_path) as asked:
        await asked.ask(request_id="r0")
        until(lambda: ["r0"] == ends(place))
        took_s = []
        with hindrance(place, proxy):
            for nth in range(1, 9):
                began_s = time.monotonic()
                await asked.ask(request_id=f"r{nth}")
                took_s.append(time.monotonic() - began_s)
            assert status_of(tmp_path / ".gremium" / "ledger.sqlite").lag.records

        await asyncio.to_thread(until, lambda: 9 <= len(ends(place)))
        assert [f"r{nth}" for nth in range(9)] == ends(place)
    assert max(took_s) < TIMEOUT_S / 2


async def test_a_copy_is_proven_as_its_ledger_is(tmp_path, place, monkeypatch):
    monkeypatch.setenv(VARIABLE, place.url())
    async with serving(tmp_path) as asked:
        for _ in range(3):
            await asked.ask()

    proven = run(verify, tmp_path, "--postgres")
    assert (True, [3]) == (proven["ok"], [each["checked"] for each in proven["copies"]])
    place.execute("UPDATE gremium_records SET payload = payload || 'x' WHERE seq = 2")
    (copy,) = run(verify, tmp_path, "--postgres")["copies"]
    assert (False, 2) == (copy["ok"], copy["fault"]["sequence"])


def test_an_empty_database_proves_nothing(tmp_path, mirror, book, place, monkeypatch):
    monkeypatch.setenv(VARIABLE, place.url())
    written(tmp_path / "gremium.yaml", JURY, "http://127.0.0.1:1")
    mirror(book).close()

    assert {"ok": False, "copies": []} == run(verify, tmp_path, "--postgres")


def test_a_database_without_a_ledger_proves_nothing(place):
    with pytest.raises(LedgerError, match="no gateway has fed it yet"):
        verify_copies(place.url(), Proofs(), timeout_s=5.0)


async def test_status_tells_how_far_the_copy_is(tmp_path, place, monkeypatch):
    monkeypatch.setenv(VARIABLE, place.url())
    async with serving(tmp_path) as asked:
        await asked.ask()
        until(lambda: 1 == run(status, tmp_path)["mirror"]["seq"])
        place.server.stop()
        await asked.ask()
        until(lambda: run(status, tmp_path)["mirror"]["error"])
        lagging = run(status, tmp_path)
    place.server.start()

    mirror = lagging["mirror"]
    assert (True, 1, 1) == (mirror["configured"], mirror["seq"], mirror["lag_records"])
    assert mirror["error_since"] > mirror["time"]
    assert (2, 2, "strict") == (lagging["count"], lagging["head"]["seq"], lagging["mode"])


async def test_a_gateway_without_the_url_says_so_and_does_not_start(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)

    with pytest.raises(LedgerError, match=f"variable {VARIABLE} is not set"):
        async with serving(tmp_path):
            pass
