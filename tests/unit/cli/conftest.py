"""`gremium ledger` in a folder of its own, with a ledger to work on."""

import time

import pytest
import yaml

from services.cli import __main__ as command
from services.ledger.signing import signer_of
from tests.unit.ledger.chains import DAY_NS, add

MODEL = {"backend": "openai", "family": "f", "model": "m", "timeout_s": 5}
CONFIG = {
    "models": {"a": MODEL},
    "ensembles": {"main": {"pattern": "jury", "jurors": [{"model": "a"}]}},
    "embeddings": {"backend": "none"},
    "ledger": {"path": "ledger.sqlite", "key": "key.pem"},
}


@pytest.fixture
def ledger(monkeypatch, tmp_path, capsys):
    """Runs the command: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gremium.yaml").write_text(yaml.safe_dump(CONFIG))

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["gremium", "ledger", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


@pytest.fixture
def ledger_file(tmp_path):
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def signer(ledger, tmp_path):
    """Whoever signs with the key that the command made."""
    ledger("key")
    return signer_of(tmp_path / "key.pem")


@pytest.fixture
def three(ledger_file, signer):
    """A ledger of three records that are 100 days old."""
    old_ns = time.time_ns() - 100 * DAY_NS
    add(ledger_file, "r1", "r2", "r3", signer=signer, time_ns=old_ns)
    return ledger_file
