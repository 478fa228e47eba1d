"""What feedback has shown of a configuration's jurors, as findings of the lint."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import click
from pydantic import BaseModel, Field, ValidationError

from services.config.lint import TIERS_AT, Finding
from services.config.tree import Config, LoadedConfig
from services.core.errors import LedgerError
from services.ledger.reported import latest_labelled
from services.report.homogeneity import together
from services.report.rows import request_of

CODE: Final = "ERRORS_TOGETHER"
MOST: Final = 2_000
"""Latest requests with feedback that are looked at."""


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


def seen_findings(loaded: LoadedConfig, report: Path | None) -> list[Finding]:
    """Pairs of jurors that the configuration seats together and that hardly count as two.

    By a report, if one is given; else by what the ledger has, if there is one.

    Raises
    ------
    click.ClickException
        If the file is no report.
    """
    told = _read(report) if report else Reported(ensembles=list(_of_ledger(loaded)))
    return list(_findings(told, loaded.config))


def _read(path: Path) -> Reported:
    try:
        return Reported.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise click.ClickException(f"{path}: {where}: {first['msg'].lower()}") from err
    except OSError as err:
        raise click.ClickException(f"{path}: {(err.strerror or 'cannot be read').lower()}") from err
    except ValueError as err:
        raise click.ClickException(
            f"{path} is no report of `gremium report --json`: {err}"
        ) from err


def _of_ledger(loaded: LoadedConfig) -> Iterator[Ensemble]:
    """The same by the latest feedback; a ledger that cannot be read is not the lint's matter."""
    path = loaded.resolve(loaded.config.ledger.path)
    if not path.is_file():
        return
    try:
        told = latest_labelled(path, after=0, most=MOST)
    except LedgerError:
        return
    for pair in together([request_of(manifest) for manifest in told.manifests]):
        errors = Errors.model_validate({"together": True, **asdict(pair.errors)})
        seated = Pair(first=pair.first, second=pair.second, errors=errors)
        yield Ensemble(name=pair.ensemble, pools=[Pool(tier=pair.tier, pairs=[seated])])


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
