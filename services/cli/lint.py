"""`gremium lint`: check a configuration without starting anything."""

import json
import os
from pathlib import Path

import click

from services.cli.calibrated import learned_findings
from services.cli.options import config_option, json_option
from services.cli.reported import seen_findings
from services.cli.words import counted
from services.config.choose import choose
from services.config.lint import Finding
from services.config.lint import lint as find
from services.config.problems import ConfigError, Problem
from services.routing.configured import is_learned

FAULTY = 1


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path, dir_okay=False))
@config_option
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What `gremium report --json` printed, to go by instead of the ledger.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings too.")
@json_option("Print errors and warnings as JSON.")
def lint(
    path: Path | None, config: Path | None, report: Path | None, strict: bool, as_json: bool
) -> int:
    """Check the configuration at PATH, or the one that `gremium up` would use.

    --config FILE is the same as PATH.

    Errors are what keeps a mesh from starting; warnings are configurations
    that work but defeat their purpose, such as a jury of one family, or jurors
    whose errors move together by the feedback that the ledger has. Exit code: 0
    without errors, 1 with.
    """
    if path and config:
        raise click.UsageError("PATH and --config are the same; give one of them")
    path = path or config
    try:
        chosen = choose(path, directory=Path.cwd(), env=os.environ)
        learned = learned_findings(chosen.loaded)
    except ConfigError as err:
        _print(path, err.problems, [], as_json=as_json)
        return FAULTY
    loaded = chosen.loaded
    seen = seen_findings(loaded, report)
    findings = [*find(loaded.config, learned=is_learned(loaded)), *learned, *seen]
    _print(loaded.path, (), findings, as_json=as_json)
    return FAULTY if strict and findings else 0


def _print(
    path: Path | None, problems: tuple[Problem, ...], findings: list[Finding], *, as_json: bool
) -> None:
    if as_json:
        click.echo(json.dumps(_report(path, problems, findings), indent=2, ensure_ascii=False))
        return
    for problem in problems:
        click.echo(f"{problem.path}:{problem.line}: error: {problem.message}")
    for finding in findings:
        click.echo(f"{path}: warning: {finding}")
    click.echo(f"{counted(len(problems), 'error')}, {counted(len(findings), 'warning')}")


def _report(
    path: Path | None, problems: tuple[Problem, ...], findings: list[Finding]
) -> dict[str, object]:
    return {
        "path": str(path or ""),
        "errors": [{"path": str(p.path), "line": p.line, "message": p.message} for p in problems],
        "warnings": [{"code": f.code, "where": f.where, "message": f.message} for f in findings],
    }
