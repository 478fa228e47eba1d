"""The calibration artefact: what was learned from labelled outcomes, as versioned JSON."""

import hashlib
import json
import pathlib
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from services.config.artefacts import read_artefact, write_artefact
from services.core.probability import MIN_LABELS

MAX_BYTES: Final = 4 * 1024 * 1024

Name = Annotated[str, Field(min_length=1, max_length=256)]
Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]

STRICT: Final = ConfigDict(extra="forbid", strict=False)


@dataclass(frozen=True, slots=True, config=STRICT)
class Gate:
    """Whether the vote may overrule the best juror, and on what evidence."""

    closed: bool
    """Closed: the best juror's ballot stands wherever it gave one."""
    best: Name
    """The juror most often right."""
    quantile: Annotated[float, Field(ge=-1, le=1)]
    """5 % quantile of the paired bootstrap of (vote - best juror), shares of prompts."""
    n: Count
    """Prompts behind it: those on which the best juror was heard, each predicted by a fit that had
    not seen it."""


@dataclass(frozen=True, slots=True, config=STRICT)
class ConfidenceMap:
    """From the log-odds x of the raw posterior to sigmoid(slope x + offset)."""

    slope: Finite = 1.0
    offset: Finite = 0.0
    covariance: tuple[Finite, Finite, Finite] = (0.0, 0.0, 0.0)
    """Of the estimates: var(slope), cov(slope, offset), var(offset)."""


@dataclass(frozen=True, slots=True, config=STRICT)
class Declining:
    """What answers count that give none though no tool is offered."""

    score: Finite
    """Added to the score of their class."""
    jurors: tuple[Finite, ...]
    """What each juror's ballot adds besides where it is one of them."""


@dataclass(frozen=True, slots=True, config=STRICT)
class PoolFit:
    """How the jurors of one pool vote together."""

    rule: Literal["logit", "log_odds"]
    """`log_odds` where labels are too few for the conditional logit."""
    jurors: tuple[Name, ...]
    weights: tuple[Weight, ...]
    """What each juror's ballot adds to the score of its class."""
    alone: tuple[Finite, ...]
    """What it adds besides where no two ballots agree."""
    abstaining: tuple[Finite, ...]
    """What it adds besides where it calls no tool."""
    priors: tuple[Share, ...]
    """How often each juror is right where it is heard."""
    none_score: Finite
    """Score of "none of them is right"."""
    abstain: Finite
    """Added to the score of the class that calls no tool."""
    gate: Gate
    confidence: ConfidenceMap
    n_labels: Count
    metrics: Mapping[str, Finite]
    """Measured on prompts that the fit had not seen: `accuracy` behind the
    gate, `vote_accuracy`, `oracle`, `ece`, `auroc`; where the best juror was
    heard, `best_accuracy` and the `gain` over it, with its 95 % interval from
    `gain_low` to `gain_high`;
    `spread`, the standard deviation of P(correct) over the prompts;
    `coverage_20`, the share of answers of which 80 % can be promised to be
    right."""
    declining: Declining | None = None
    """Of answers that decline or do not know; None, as in older files: none were among the votes.
    `abstaining` and `abstain` are of those that call no tool."""

    @property
    def calibrated(self) -> bool:
        return self.n_labels >= MIN_LABELS and self.rule == "logit"

    @model_validator(mode="after")
    def _matching(self) -> Self:
        for name in ("weights", "alone", "abstaining", "priors"):
            if len(getattr(self, name)) != len(self.jurors):
                msg = f"{name} has {len(getattr(self, name))} values for {len(self.jurors)} jurors"
                raise ValueError(msg)
        if self.declining is not None and len(self.declining.jurors) != len(self.jurors):
            given = len(self.declining.jurors)
            raise ValueError(f"declining has {given} values for {len(self.jurors)} jurors")
        if len(set(self.jurors)) != len(self.jurors):
            raise ValueError("jurors must be unique")
        if self.gate.best not in self.jurors:
            raise ValueError(f"gate.best {self.gate.best!r} is not among the jurors")
        return self


@dataclass(frozen=True, slots=True, config=STRICT)
class Threshold:
    """A confidence from which on accepted answers keep a promised risk."""

    alpha: Share
    """Accepted answers are wrong at most this often ..."""
    delta: Share
    """... except with this probability."""
    value: Share | None
    """The threshold; None where none keeps the promise."""
    n: Count
    """Labelled answers at or above it."""
    ucb: Share
    """Upper confidence bound of the risk at it."""
    coverage: Share
    """Share of answers at or above it."""


@dataclass(frozen=True, slots=True, config=STRICT)
class JudgeFit:
    """How the signals on one answer become P(ok)."""

    intercept: Finite
    coefficients: Mapping[Name, Finite]
    """By feature."""
    reliabilities: Mapping[Name, Weight]
    """Weight of each judge, clipped at 0."""
    raw_reliabilities: Mapping[Name, Finite]
    """The same before clipping: a negative one tells of a judge that misleads."""
    thresholds: tuple[Threshold, ...]
    n_labels: Count
    metrics: Mapping[str, Finite]

    @property
    def calibrated(self) -> bool:
        return self.n_labels >= MIN_LABELS


@dataclass(frozen=True, config=STRICT)
class Calibration:
    """Everything that was learned, and of what. Without slots, so that its id can be kept."""

    created: Annotated[str, Field(max_length=64)]
    """When, ISO 8601 in UTC."""
    data_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Digest of the labelled outcomes."""
    pools: Mapping[Name, PoolFit] = field(default_factory=dict)
    """By ensemble, or by `ensemble/tier` and `ensemble/step` where it has several."""
    judges: Mapping[Name, JudgeFit] = field(default_factory=dict)
    """By ensemble."""
    format: Literal[1] = 1

    @cached_property
    def id(self) -> str:
        """First 12 hex digits of the digest of the canonical content."""
        content = json.dumps(_plain(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()[:12]


CALIBRATION: Final = TypeAdapter(Calibration)


class CalibrationError(ValueError):
    """A calibration file that cannot be used; tells file, field and limit."""


def read(path: pathlib.Path) -> Calibration:
    """Read and check an artefact.

    Raises
    ------
    CalibrationError
        If the file is missing, too large, no JSON, breaks a limit, or was
        changed since it was written.
    """
    found, given = read_artefact(path, CALIBRATION, most_bytes=MAX_BYTES, error=CalibrationError)
    if given != found.id:
        raise CalibrationError(f"{path}: id: is {given!r}; the content has {found.id!r}")
    return found


def write(calibration: Calibration, path: pathlib.Path) -> None:
    """Write an artefact; the old file stays until the new one is whole."""
    write_artefact(path, {"id": calibration.id, **_plain(calibration)}, indent=2)


def _plain(calibration: Calibration) -> dict[str, Any]:
    """The content; what older files do not have is left out where there is nothing of it."""
    plain: dict[str, Any] = CALIBRATION.dump_python(calibration, mode="json")
    for pool in plain["pools"].values():
        if pool["declining"] is None:
            del pool["declining"]
    return plain
