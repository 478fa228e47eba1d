"""The calibration that a configuration names, and which pools of the configuration it fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.calibration.artefact import (
    Calibration,
    CalibrationError,
    JudgeFit,
    PoolFit,
    Threshold,
    read,
)
from services.config.document import parse
from services.config.judge import Promise
from services.config.problems import ConfigError, Problem
from services.config.tree import Config, Juror, LoadedConfig
from services.core.probability import MIN_LABELS


@dataclass(frozen=True, slots=True)
class Match:
    """What was learned of jurors that vote together, or why nothing of it is used."""

    fit: PoolFit | None
    why_not: str = ""
    """One sentence; empty with a fit."""
    few: PoolFit | None = None
    """Instead of a fit: how often each is right, of too few labels for more."""

    @property
    def known(self) -> PoolFit | None:
        return self.fit or self.few


def calibration_of(loaded: LoadedConfig) -> Calibration | None:
    """Read the calibration that a configuration names; None if it names none.

    Raises
    ------
    ConfigError
        If the file cannot be used. Tells the line of the configuration, the
        file, its field and the limit.
    """
    named = loaded.config.calibration
    if named is None:
        return None
    try:
        return read(loaded.resolve(named))
    except CalibrationError as err:
        raise ConfigError(Problem(loaded.path, _line(loaded), f"calibration: {err}")) from err


def _line(loaded: LoadedConfig) -> int:
    """1-based line of the field."""
    return parse(loaded.path.read_text(encoding="utf-8-sig")).line(("calibration",))


def pool_names(ensemble: str, tier: str, *, alone: bool) -> tuple[str, ...]:
    """Names that a tier's pool may have; that of the ensemble if the tier is `alone` in it."""
    return (f"{ensemble}/{tier}", ensemble) if alone else (f"{ensemble}/{tier}",)


def matched(
    calibration: Calibration | None, names: Sequence[str], jurors: Sequence[Juror]
) -> Match:
    """What a calibration knows of these jurors, matched by name.

    A pool is used whole or not at all: weights were learned together, so that
    one unknown juror makes the others' wrong.
    """
    if calibration is None:
        return Match(None, "no calibration is configured")
    found = next((calibration.pools[name] for name in names if name in calibration.pools), None)
    if found is None:
        return Match(None, f"calibration {calibration.id} has no pool {names[-1]}")
    return _match(found, calibration.id, jurors)


def _match(found: PoolFit, calibration_id: str, jurors: Sequence[Juror]) -> Match:
    unused = f"calibration {calibration_id} is not used"
    if strange := [juror.label for juror in jurors if juror.label not in found.jurors]:
        return Match(None, f"{unused}: it knows nothing of juror {', '.join(strange)}")
    if not found.calibrated:
        few = f"it has {found.n_labels} labels of this pool; {MIN_LABELS} are needed"
        if found.rule == "log_odds":
            told = f"calibration {calibration_id} tells only how often each juror is right: {few}"
            return Match(None, told, few=found)
        return Match(None, f"{unused}: {few}")
    if problem := _gate_problem(found, jurors):
        return Match(None, f"{unused}: {problem}")
    return Match(found)


def _gate_problem(fit: PoolFit, jurors: Sequence[Juror]) -> str:
    """Why a closed gate has nobody to stand: its confidence was learned of that juror's ballot."""
    if not fit.gate.closed:
        return ""
    weight = next((juror.weight for juror in jurors if juror.label == fit.gate.best), None)
    if weight is None:
        return f"its best juror {fit.gate.best} is no longer asked"
    return f"its best juror {fit.gate.best} has no weight" if weight <= 0.0 else ""


@dataclass(frozen=True, slots=True)
class Promised:
    """What was learned of an ensemble's verdicts, or why no promise is kept by it."""

    fit: JudgeFit | None = None
    threshold: Threshold | None = None
    why_not: str = ""
    """One sentence; empty with a fit."""


def promised(calibration: Calibration, ensemble: str, promise: Promise) -> Promised:
    """What a calibration knows of an ensemble's verdicts, at the promise that is asked for."""
    fit = calibration.judges.get(ensemble)
    if fit is None:
        return Promised(why_not=f"calibration {calibration.id} has no judge of {ensemble}")
    if not fit.calibrated:
        labels = f"{fit.n_labels} labels of its verdicts; {MIN_LABELS} are needed"
        return Promised(why_not=f"calibration {calibration.id} has {labels}")
    wanted = (promise.alpha, promise.delta)
    found = next((each for each in fit.thresholds if (each.alpha, each.delta) == wanted), None)
    if found is None:
        terms = f"alpha {promise.alpha:g} and delta {promise.delta:g}"
        return Promised(why_not=f"calibration {calibration.id} has no threshold for {terms}")
    return Promised(fit, found)


def misfits(config: Config, calibration: Calibration) -> Iterator[tuple[str, str]]:
    """Pools and judges of the configuration that go uncalibrated, each with why.

    A lone juror of whom nothing was learned is none: there is nothing to count.
    """
    for name, ensemble in config.ensembles.items():
        alone = len(ensemble.tiers) == 1
        for tier in ensemble.tiers:
            names = pool_names(name, tier.name, alone=alone)
            is_known = any(each in calibration.pools for each in names)
            match = matched(calibration, names, tier.jurors)
            if match.fit is None and (is_known or len(tier.jurors) > 1):
                yield f"pool {names[-1]}", match.why_not
        if ensemble.judge and ensemble.judge.promise:
            found = promised(calibration, name, ensemble.judge.promise)
            if found.why_not:
                yield f"judge of {name}", found.why_not
