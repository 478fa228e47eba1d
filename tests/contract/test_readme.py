"""README says nothing that is not there: commands, options, targets, links, configurations."""

import re
import shlex
from itertools import chain
from pathlib import Path

import click
import pytest
import yaml

from services.cli.command import cli
from services.config.lint import lint
from services.config.load import load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "examples/README.md"]
TEXT = (ROOT / "README.md").read_text()
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORDS = re.compile(r"[\w.-]+")


def blocks(*languages):
    return [body for language, body in FENCE.findall(TEXT) if language in languages]


def inline():
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", TEXT))


def lines():
    shown = chain.from_iterable(each.splitlines() for each in blocks("sh", "bash", ""))
    return [each.partition("  #")[0] for each in shown]


def words_of(line):
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a lone quote is no command's
        return []


def calls(program):
    """Arguments of each call of a program, in blocks and within sentences."""
    parts = chain.from_iterable(re.split(r"&&|\|(?!\|)", each) for each in [*lines(), *inline()])
    for words in map(words_of, parts):
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words and words[0].rpartition("/")[2] == program:
            yield words[1:]


def found(arguments):
    """The command that is called, and what is left of its arguments."""
    command = cli
    while isinstance(command, click.Group) and arguments and WORDS.fullmatch(arguments[0]):
        inner = command.get_command(click.Context(command), arguments[0])
        assert inner is not None, f"there is no command {' '.join(arguments)}"
        command, arguments = inner, arguments[1:]
    return command, arguments


def options(command):
    """Options of a command and of those within it."""
    own = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    inner = getattr(command, "commands", {}).values()
    return own.union(*map(options, inner), {"--help"})


def test_every_command_and_option_is_there():
    called = [found(arguments) for arguments in calls("gremium")]

    assert len(called) > 40
    for command, arguments in called:
        given = {each.partition("=")[0] for each in arguments if each.startswith("--")} - {"--"}
        assert given <= options(command), command.name


def test_every_option_in_the_table_is_one_of_its_command():
    rows = re.findall(r"^\| `gremium ([\w ]+?)\b[^`]*` \| (.*) \|$", TEXT, re.MULTILINE)

    assert len(rows) >= 13
    for names, told in rows:
        command, _ = found(names.split())
        given = set(re.findall(r"`(--[a-z-]+)", told))
        assert given <= options(command), names


def test_every_command_is_in_the_table():
    told = set(re.findall(r"^\| `gremium (\w+)", TEXT, re.MULTILINE))

    assert set(cli.list_commands(click.Context(cli))) - {"manifests"} <= told


def test_every_make_target_is_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {each[0] for each in calls("make") if each}

    assert len(told) > 5
    assert told <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert target.startswith("https://") or file.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in heads}


def merged(base, part):
    """A configuration with some of it replaced."""
    if not (isinstance(base, dict) and isinstance(part, dict)):
        return part
    return {**base, **{key: merged(base.get(key), each) for key, each in part.items()}}


def configurations():
    """The first is whole; the others show a part of one."""
    shown = [yaml.safe_load(each) for each in blocks("yaml")]
    return [each for each in shown if "scrape_configs" not in each]


def test_the_configuration_to_begin_with_is_clean(tmp_path):
    path = tmp_path / "gremium.yaml"
    path.write_text(yaml.safe_dump(configurations()[0]))

    assert [] == lint(load(path).config)


@pytest.mark.parametrize("part", configurations()[1:], ids=lambda part: next(iter(part)))
def test_every_part_of_a_configuration_is_accepted(tmp_path, part):
    path = tmp_path / "gremium.yaml"
    example = yaml.safe_load((ROOT / "gremium.example.yaml").read_text())
    path.write_text(yaml.safe_dump(merged(merged(example, configurations()[0]), part)))

    load(path)
