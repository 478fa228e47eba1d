"""Whatever happens to a gateway and its disk: what it acknowledged is in the ledger, once.

`make test` kills it 20 times at moments that a seed draws, `make kill` 500 times.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.ledger.checkpoint import Checkpoint
from services.ledger.signing import Verifier, make_key, verifier_of
from services.ledger.verify import Finding, Proofs, verify
from services.runtime.probe import health
from tests.fault.books import books
from tests.fault.callers import Callers
from tests.fault.killing import ANSWER_S, killable, staying

KILLS = int(os.environ.get("GREMIUM_KILLS", "20"))
RELAXED_KILLS = max(2, KILLS // 10)
SEED = int(os.environ.get("GREMIUM_SEED", "8"))
CALLERS = 6
HURRY_S = 2.0
REFUSALS = {"LEDGER_FAILED", "DEADLINE_SPENT", "REQUEST_IN_PROGRESS"}
"""What callers may hear while nothing can be recorded: ends are recorded later."""
DISK = "16m"
"""More than the log of SQLite grows to before it is emptied."""

pytestmark = pytest.mark.timeout(120 + 10 * KILLS)


@dataclass
class Auditor:
    """Holds the ledger against what it was after each kill before."""

    verifier: Verifier
    known: list[Checkpoint] = field(default_factory=list)

    def look(self, path: Path, *, whole: bool = False) -> Finding:
        found = verify(path, Proofs([self.verifier], self.known), resume=not whole)
        assert found.fault is None, found.fault
        self.known.append(Checkpoint(found.chain_id, found.count, found.head, str(len(self.known))))
        return found


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    with staying(tmp_path_factory.mktemp("stages")) as stages:
        yield stages


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key.pem"
    make_key(path)
    return path


@pytest.fixture
def auditor(key):
    return Auditor(verifier_of(key))


@pytest.fixture
def killed(stages, tmp_path, key, auditor, capsys):
    """Kill a gateway so often under load; returns what callers were told, and the books."""

    def kill(mode, times):
        with killable(stages, tmp_path, mode=mode, texts="answers", key=str(key)) as mesh:
            rng = random.Random(SEED)  # noqa: S311 - a test that can be repeated
            with Callers(mesh.address, count=CALLERS, seed=SEED) as callers:
                mesh.kill_often(
                    callers, times=times, rng=rng, then=lambda: auditor.look(mesh.ledger)
                )
            assert 0 == mesh.gateways.stop(), mesh.gateways.log()[-2000:]
            found, checked = books(mesh.ledger), auditor.look(mesh.ledger, whole=True)
        with capsys.disabled():
            _tell(f"{mode}: {times} kills", callers.told, found, checked)
        return callers.told, found

    return kill


def _tell(what, told, found, checked):
    sys.stdout.write(
        f"\n{what}, {len(told.replies)} acknowledged ({told.replayed} of them again),"
        f" {len(found.missing(told))} of them missing, {len(found.doubled())} doubled,"
        f" {len(found.aborted)} ABORTED, {checked.count} records in a chain that is right\n"
    )


def test_what_was_acknowledged_is_recorded_once_whenever_it_is_killed(killed):
    told, found = killed("strict", KILLS)

    assert len(told.replies) > KILLS
    assert [] == found.missing(told)
    assert [] == found.different(told)
    assert [] == found.doubled()
    assert [] == found.strange(told)
    assert [] == found.not_aborted(told)
    assert [] == found.open
    assert {} == told.refused


def test_relaxed_it_loses_the_last_at_most_and_forges_nothing(killed):
    told, found = killed("relaxed", RELAXED_KILLS)

    assert len(found.missing(told)) <= RELAXED_KILLS * CALLERS
    assert [] == found.doubled()
    assert [] == found.strange(told)
    assert [] == found.open


def own_disk(folder):
    """A command that runs another one on a small disk of its own, mounted at a folder."""
    space = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    mount = f'mount -t tmpfs -o size={DISK} tmpfs "{folder}" && exec "$@"'
    command = ["unshare", *space, "sh", "-c", mount, "sh"]
    if subprocess.run([*command, "true"], check=False, timeout=10).returncode:
        pytest.skip("nobody may mount a small disk here: that needs root or user namespaces")
    return command


def test_a_full_disk_refuses_and_loses_nothing(stages, tmp_path, key, auditor):
    disk = tmp_path / "disk"
    disk.mkdir()
    with (
        killable(
            stages,
            tmp_path,
            within=own_disk(disk),
            path=disk / "ledger.sqlite",
            key=str(key),
            texts="answers",
        ) as mesh,
    ):
        mesh.gateways.start()
        with Callers(mesh.address, count=CALLERS, seed=SEED, timeout_s=HURRY_S) as callers:
            callers.until_more(within_s=ANSWER_S)
            seen = Path(f"/proc/{mesh.gateways.pid}/root{disk}")
            _fill(seen / "ballast")
            callers.until_refused("LEDGER_FAILED", within_s=ANSWER_S)
            _until_health(mesh.address, "NOT_SERVING")
            (seen / "ballast").unlink()
            callers.until_more(within_s=ANSWER_S)
            _until_health(mesh.address, "SERVING")
        copy = shutil.copytree(seen, tmp_path / "copy") / "ledger.sqlite"

    found = books(copy)
    auditor.look(copy, whole=True)
    assert set(callers.told.refused.values()) <= REFUSALS
    assert [] == found.missing(callers.told)
    assert [] == found.different(callers.told)
    assert [] == found.doubled()


def _until_health(address, wanted):
    until = time.monotonic() + ANSWER_S
    while health(address) != wanted:
        assert time.monotonic() < until, wanted
        time.sleep(0.1)


def _fill(path):
    with path.open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            pass
