"""`gremium calibrate`: learn from labelled outcomes whom to believe, and how far."""

import importlib.util
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from services.calibration.artefact import Calibration, write
from services.calibration.configured import calibration_of
from services.calibration.fit_judge import PROMISES
from services.calibration.learning import Learned, learn
from services.calibration.outcomes import Outcome, OutcomesError, read_outcomes
from services.calibration.recorded import is_wordless, outcomes_of
from services.calibration.telling import report, told
from services.cli.options import OUT_FILE, config_option, json_option
from services.cli.progress import Progress
from services.cli.words import counted
from services.config.choose import FILE_NAME, choose
from services.config.tree import LoadedConfig
from services.ledger.labelled import labelled

WORDLESS: Final = (
    "says what was expected, but the ledger keeps no words of the answers (`ledger.texts`):"
    " who was right is not known"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where labelled outcomes come from: one of the two."""

    path: Path | None
    """A file of outcomes."""
    from_ledger: bool


@click.command()
@click.option(
    "--from",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Labelled outcomes, one JSON object a line.",
)
@click.option(
    "--ledger", "from_ledger", is_flag=True, help="Recorded requests that have feedback instead."
)
@click.option(
    "--out",
    type=OUT_FILE,
    help="File to write; without it nothing is written.",
)
@click.option("--ensemble", "ensembles", multiple=True, help="Only this ensemble; repeatable.")
@click.option(
    "--explain",
    is_flag=True,
    help="Tell what it is worth, and what changed against the calibration in use.",
)
@config_option
@json_option("Print what was learned as JSON.")
def calibrate(
    *,
    path: Path | None,
    from_ledger: bool,
    out: Path | None,
    ensembles: tuple[str, ...],
    explain: bool,
    config: Path | None,
    as_json: bool,
) -> int:
    """Learn from labelled outcomes how much each juror and judge counts.

    The file it writes is used once `calibration:` in the configuration names
    it and the mesh is started again. Pools with fewer than 50 labels stay
    uncalibrated. Runs beside a mesh that serves.
    """
    source = Source(path, from_ledger)
    _check(source)
    loaded = _configuration(config, needed=from_ledger)
    before = calibration_of(loaded) if loaded else None
    outcomes = _outcomes(source, loaded, ensembles)
    learned = _learned(outcomes, _promises(loaded), Progress())
    if out is not None:
        write(learned.calibration, out)
    _print(learned, before, out, explain=explain, as_json=as_json)
    return 0


def _check(source: Source) -> None:
    if (source.path is None) == (not source.from_ledger):
        raise click.UsageError("needs either --from FILE or --ledger")
    if importlib.util.find_spec("scipy") is None:
        raise click.ClickException("needs scipy: pip install 'gremium[calibrate]'")


def _configuration(config: Path | None, *, needed: bool) -> LoadedConfig | None:
    """The configuration; none is made up for a file of outcomes that needs none."""
    if not (needed or config or Path(FILE_NAME).exists()):
        return None
    return choose(config, directory=Path.cwd(), env=os.environ).loaded


def _outcomes(
    source: Source, loaded: LoadedConfig | None, ensembles: Collection[str]
) -> list[Outcome]:
    """Labelled outcomes of some ensembles, or of all.

    Raises
    ------
    click.ClickException
        If there are none, or a line of the file is wrong.
    LedgerError
        If the ledger cannot be read.
    """
    if source.path is not None:
        try:
            found = read_outcomes(source.path)
        except OutcomesError as err:
            raise click.ClickException(str(err)) from err
    else:
        found = _recorded(loaded.resolve(loaded.config.ledger.path) if loaded else Path())
    kept = [each for each in found if not ensembles or each.ensemble in ensembles]
    if not kept:
        raise click.ClickException(_nothing(sorted({each.ensemble for each in found})))
    return kept


def _nothing(others: Sequence[str]) -> str:
    others_too = f" of these ensembles; there are some of {', '.join(others)}" if others else ""
    return f"there are no labelled outcomes{others_too}"


def _recorded(ledger: Path) -> list[Outcome]:
    """Outcomes of the ledger; those of whom nobody can tell any more who was right are counted."""
    found: list[Outcome] = []
    wordless = 0
    for manifest in labelled(ledger):
        found += outcomes_of(manifest)
        wordless += is_wordless(manifest)
    if wordless:
        click.echo(f"of {counted(wordless, 'request')} feedback {WORDLESS}", err=True)
    return found


def _promises(loaded: LoadedConfig | None) -> list[tuple[float, float]]:
    """The usual ones, and those that the configuration asks for."""
    judges = [each.judge for each in loaded.config.ensembles.values()] if loaded else []
    asked = [(j.promise.alpha, j.promise.delta) for j in judges if j and j.promise]
    return sorted({*PROMISES, *asked})


def _learned(
    outcomes: list[Outcome], promises: list[tuple[float, float]], progress: Progress
) -> Learned:
    return learn(
        outcomes,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        promises=promises,
        tell=lambda text: progress.say(f"fitting {text}"),
    )


def _print(
    learned: Learned, before: Calibration | None, out: Path | None, *, explain: bool, as_json: bool
) -> None:
    if as_json:
        shown = report(learned, before, path=str(out or ""))
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    if explain:
        for line in told(learned, before):
            click.echo(line)
    else:
        for name, why in learned.refused.items():
            click.echo(f"{name} is uncalibrated: {why}")
    written = f"written to {out}" if out else "nothing is written without --out"
    click.echo(f"calibration {learned.calibration.id}: {written}")
