"""What a report has shown of a configuration's jurors, as findings of the lint."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import click
from pydantic import BaseModel, Field, ValidationError

from services.config.lint import TIERS_AT, Finding
from services.config.tree import Config

CODE: Final = "ERRORS_TOGETHER"


class Told(BaseModel):
    """A figure of a report."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class Errors(BaseModel):
    """How the errors of two jurors go together."""

    together: bool
    correlation: Told
    same_mistake: Told


class Pair(BaseModel):
    """Two jurors."""

    first: str
    second: str
    errors: Errors


class Pool(BaseModel):
    """Jurors that vote together."""

    tier: str
    pairs: Annotated[list[Pair], Field(default_factory=list)]


class Ensemble(BaseModel):
    """An ensemble of a report; what else it tells is not looked at."""

    name: str
    pools: Annotated[list[Pool], Field(default_factory=list)]


class Reported(BaseModel):
    """What `gremium report --json` printed."""

    ensembles: list[Ensemble]


def report_findings(path: Path, config: Config) -> list[Finding]:
    """Pairs of jurors that the configuration still seats together and that hardly count as two.

    Raises
    ------
    click.ClickException
        If the file is no report.
    """
    try:
        report = Reported.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise click.ClickException(f"{path}: {where}: {first['msg'].lower()}") from err
    except (OSError, ValueError) as err:
        raise click.ClickException(
            f"{path} is no report of `gremium report --json`: {err}"
        ) from err
    return list(_findings(report, config))


def _findings(report: Reported, config: Config) -> Iterator[Finding]:
    for told in report.ensembles:
        ensemble = config.ensembles.get(told.name)
        seats = ensemble.tiers if ensemble is not None else ()
        seated = {tier.name: {juror.label for juror in tier.jurors} for tier in seats}
        at = TIERS_AT[ensemble.pattern] if ensemble is not None else ""
        for pool in told.pools:
            yield from _pool(pool, seated, where=f"ensembles.{told.name}.{at}")


def _pool(pool: Pool, seated: Mapping[str, set[str]], *, where: str) -> Iterator[Finding]:
    """In the pattern `jury` a pool has no tier's name, and there is but one."""
    tiers = [name for name in seated if pool.tier in {name, ""}]
    for tier in tiers:
        for pair in pool.pairs:
            if pair.errors.together and {pair.first, pair.second} <= seated[tier]:
                yield Finding(CODE, where.format(tier), _sentence(pair))


def _sentence(pair: Pair) -> str:
    errors = pair.errors
    told = [
        f"{name} {figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f}, n {figure.n})"
        for name, figure in (
            ("their errors correlate with", errors.correlation),
            ("the same mistake beyond chance in", errors.same_mistake),
        )
        if figure.value is not None
    ]
    return (
        f"{pair.first} and {pair.second} hardly count as two: {'; '.join(told)}; replace one by a"
        " model of another family"
    )
