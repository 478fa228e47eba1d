"""The command says what it is and how it was misused, by exit codes of its own."""

import tomllib
from pathlib import Path

import click
import pytest

from services.cli import __main__ as command
from services.cli.command import VERSION, cli

ROOT = Path(__file__).parents[3]


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["gremium", *arguments])
    with pytest.raises(SystemExit) as ended:
        command.main()
    return ended.value.code


def test_its_version_is_the_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION


def test_help_shows_examples_line_by_line(monkeypatch, capsys):
    code = run(monkeypatch, "--help")

    assert 0 == code
    assert '  gremium ask "What is the capital of France?"\n' in capsys.readouterr().out


@pytest.mark.parametrize("group", [[], ["router"], ["ledger"], ["models"]])
def test_help_tells_in_full_what_each_command_does(monkeypatch, capsys, group):
    run(monkeypatch, *group, "--help")

    _, _, listed = capsys.readouterr().out.partition("Commands:\n")
    assert len(listed.splitlines()) >= 2
    assert "..." not in listed


def test_every_command_is_a_function_of_its_file():
    context = click.Context(cli)

    for name in cli.list_commands(context):
        assert name == cli.get_command(context, name).name


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["ask"], id="no question"),
        pytest.param(["ask", "Why?", "--label", "a"], id="one label"),
        pytest.param(["ask", "Why?", "--number", "--label", "a", "--label", "b"], id="two shapes"),
        pytest.param(["ask", "Why?", "--config", "x.yaml"], id="a config for nobody"),
        pytest.param(["ask", "Why?", "--attest"], id="signed, but not for a program"),
        pytest.param(["manifest", "r1", "--attest"], id="a signed manifest for people"),
        pytest.param(["lint", "a.yaml", "--config", "b.yaml"], id="two configurations"),
        pytest.param(["nothing"], id="no such command"),
    ],
)
def test_wrong_usage_is_an_error_and_not_a_lack_of_consensus(monkeypatch, capsys, arguments):
    assert 1 == run(monkeypatch, *arguments)
    assert "Error:" in capsys.readouterr().err


@pytest.mark.parametrize("option", [[], ["--config"]], ids=["PATH", "--config"])
def test_lint_names_file_and_line(monkeypatch, capsys, tmp_path, option):
    path = tmp_path / "gremium.yaml"
    path.write_text("version: 1\nmodels: {}\nensembles: {}\nmodell: 1\n")

    assert 1 == run(monkeypatch, "lint", *option, str(path))
    assert f"{path}:4: error:" in capsys.readouterr().out


SEARCH = """\
models:
  m: {backend: openai, model: m, family: f, timeout_s: 5}
ensembles:
  main:
    pattern: specialists
    steps:
      search: {retrieval: {folder: nowhere}, required: false}
      answer: {model: m, depends_on: [search]}
"""


@pytest.mark.parametrize("command", [["lint"], ["up"], ["ask", "--start", "Why?"]], ids=" ".join)
def test_a_folder_to_search_that_is_not_there_is_named_at_once(
    monkeypatch, capsys, tmp_path, command
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gremium.yaml").write_text(SEARCH)

    assert 1 == run(monkeypatch, *command)
    told = "".join(capsys.readouterr())
    assert "gremium.yaml:7: " in told
    assert f"there is no folder {tmp_path / 'nowhere'}" in told
