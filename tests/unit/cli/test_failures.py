"""A command that fails says why in a line, and to a program as JSON; its exit code is 1."""

import json
from pathlib import Path

import click
import pytest

from services.cli import __main__ as command
from services.cli.errors import MeshError
from services.cli.failures import reason_of, tell, text_of
from services.cli.outputs import finish
from services.config.problems import ConfigError
from services.core.errors import LedgerError
from tests.running import free_port


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command in an empty folder, where no mesh is: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    nobody = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("GREMIUM_ADDRESS", nobody)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["gremium", *arguments])
        with pytest.raises(SystemExit) as ended:
            command.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


@pytest.mark.parametrize(
    ("arguments", "reason", "message"),
    [
        pytest.param(["ask", "Why?"], "NO_MESH", "no mesh serves at", id="no mesh"),
        pytest.param(["ask", "Why?", "--start"], "NO_MESH", "no mesh serves at", id="elsewhere"),
        pytest.param(["manifest", "r1"], "NO_MESH", "gremium up", id="no manifest"),
        pytest.param(["ask"], "WRONG_USAGE", "QUESTION", id="no question"),
        pytest.param(["nothing"], "WRONG_USAGE", "nothing", id="no such command"),
        pytest.param(["up", "--config", "no.yaml"], "WRONG_CONFIG", "no.yaml", id="no config"),
        pytest.param(["ledger", "verify", "no.sqlite"], "LEDGER", "no.sqlite", id="no ledger"),
        pytest.param(["ask", "caf\udce9"], "WRONG_USAGE", "is not UTF-8", id="no UTF-8"),
        pytest.param(["up", "--bind", "here"], "NO_MESH", "must be host:port", id="no address"),
    ],
)
def test_tells_programs_and_people(run, arguments, reason, message):
    code, out, err = run(*arguments, "--json")

    (line,) = out.splitlines()
    told = json.loads(line)["error"]
    assert (1, True, True) == (code, message in told["message"], message in err)
    assert told["reason"].startswith(reason)
    assert "Traceback" not in err


def test_says_nothing_to_programs_that_are_not_there(run):
    assert (1, "") == run("ask", "Why?")[:2]


@pytest.mark.parametrize(
    ("err", "reason"),
    [
        (LedgerError("x"), LedgerError.reason),
        (click.UsageError("x"), "WRONG_USAGE"),
        (MeshError("x"), "NO_MESH"),
        (ConfigError(), "WRONG_CONFIG"),
        (PermissionError(13, "x"), "SYSTEM"),
        (click.ClickException("x"), "FAILED"),
    ],
)
def test_each_kind_has_a_reason(err, reason):
    assert reason == reason_of(err)


@pytest.mark.parametrize(
    ("err", "text"),
    [
        (PermissionError(13, "Permission denied", "/ro"), "/ro: permission denied"),
        (OSError(28, "No space left on device"), "no space left on device"),
        (OSError("of our own"), "of our own"),
    ],
)
def test_the_system_is_quoted_with_the_file_first(err, text):
    assert text == text_of(err)


def test_a_full_disk_is_told_even_where_a_program_reads(monkeypatch, capsys):
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        try:
            code = tell(OSError(28, "No space left on device"), ["--json"])
        finally:
            finish()

    assert (1, "error: no space left on device\n") == (code, capsys.readouterr().err)
