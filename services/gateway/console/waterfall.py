"""Lays out one request as a waterfall: who was at work when, on the axis of its deadline. No I/O."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from google.protobuf.timestamp_pb2 import Timestamp

from gremium.v1 import manifest_pb2
from services.gateway.console.wording import span_s, stage, status

Axis = Literal["deadline", "work"]

ANSWERED: Final = manifest_pb2.PARTICIPATION_STATUS_ANSWERED
LOOKS: Final = {
    manifest_pb2.PARTICIPATION_STATUS_UNSPECIFIED: "running",
    ANSWERED: "answered",
    manifest_pb2.PARTICIPATION_STATUS_UNUSABLE: "unusable",
    manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT: "late",
    manifest_pb2.PARTICIPATION_STATUS_FAILED: "failed",
    manifest_pb2.PARTICIPATION_STATUS_CANCELLED: "cancelled",
    manifest_pb2.PARTICIPATION_STATUS_SKIPPED: "skipped",
}
"""How a bar looks, by how its part ended."""
UNKNOWN: Final = "skipped"
"""How one looks that ended in a way of which this release does not know."""
SHORT_SHARE: Final = 0.2
"""Share of the deadline below which the work alone makes the axis, unless asked otherwise."""
BEYOND: Final = 1.04
"""Room behind the last thing on the axis."""
TICKS: Final = 5
SLIVER: Final = 0.25
"""Least width of a bar, percent: what took no time is still seen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time, in percent of the axis."""

    left: float
    width: float
    look: str
    hedge: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One participation."""

    stage: str
    name: str
    """Of the juror, judge or synthesiser; empty for a stage that asks no model."""
    model: str
    look: str
    status: str
    reason: str
    reason_text: str
    start_s: float | None
    """Seconds after the request's arrival; None: it never began."""
    took_s: float | None
    cost_usd: float
    tokens: int
    calls: int
    bars: tuple[Bar, ...]
    """One for each call to the model; drawn one over the other."""
    given: bool
    """Whether its answer is the one that was given."""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one tier or step; of the stages before any tier, without a name."""

    name: str
    step: manifest_pb2.StepRecord | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis."""

    at: float
    """Percent."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Everyone who took part in a request, on one axis of time."""

    axis: Axis
    axis_s: float
    """Length of the axis."""
    took_s: float
    deadline_s: float
    """After arrival; 0: not known."""
    ticks: tuple[Tick, ...]
    deadline_at: float | None
    """Percent; None: beyond the axis, or not known."""
    ended_at: float | None
    """Percent; None while it runs."""
    groups: tuple[Group, ...]

    @property
    def used(self) -> float | None:
        """Share of the deadline that was used, in [0, 1]."""
        return min(1.0, self.took_s / self.deadline_s) if self.deadline_s else None


def waterfall(
    manifest: manifest_pb2.Manifest, *, now_ns: int, axis: Axis | None = None
) -> Waterfall:
    """Lay out a manifest; `now_ns` is where what still runs ends, since the epoch."""
    deadline_s, took_s = span_s(manifest.timeout), _took_s(manifest, now_ns)
    worked_s = max([took_s, *_ends_s(manifest, now_ns)])
    chosen: Axis = axis or ("deadline" if worked_s >= SHORT_SHARE * deadline_s else "work")
    longest_s = max(worked_s, deadline_s) if chosen == "deadline" else worked_s
    axis_s = max(longest_s * BEYOND, 1e-3)
    running = manifest.state == manifest_pb2.MANIFEST_STATE_IN_PROGRESS
    return Waterfall(
        axis=chosen,
        axis_s=axis_s,
        took_s=took_s,
        deadline_s=deadline_s,
        ticks=tuple(Tick(100 * at / axis_s, at) for at in ticks(axis_s)),
        deadline_at=100 * deadline_s / axis_s if 0 < deadline_s <= axis_s else None,
        ended_at=None if running else 100 * took_s / axis_s,
        groups=tuple(_groups(manifest, axis_s, now_ns)),
    )


def given_seat(manifest: manifest_pb2.Manifest) -> tuple[str, str]:
    """Tier, or step, and name of the juror whose answer was given."""
    return manifest.chosen_step or manifest.chosen_tier, manifest.chosen_juror


def ticks(axis_s: float) -> list[float]:
    """Round times along an axis, zero included.

    Examples
    --------
    >>> ticks(10.4)
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    rough = axis_s / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.9)
    return [round(nth * step, 9) for nth in range(int(axis_s / step) + 1)]


def _took_s(manifest: manifest_pb2.Manifest, now_ns: int) -> float:
    if manifest.HasField("duration"):
        return span_s(manifest.duration)
    return max(0.0, (now_ns - manifest.start_time.ToNanoseconds()) / 1e9)


def _ends_s(manifest: manifest_pb2.Manifest, now_ns: int) -> Iterator[float]:
    for part in manifest.participations:
        start_s = _since(part.start_time, manifest)
        if start_s is not None:
            yield start_s + (_part_s(part, now_ns) or 0.0)


def _groups(manifest: manifest_pb2.Manifest, axis_s: float, now_ns: int) -> Iterator[Group]:
    """Participations by tier, in the order in which each tier was first at work."""
    steps = {step.id: step for step in manifest.steps}
    names = list(dict.fromkeys(part.tier for part in manifest.participations))
    for name in names:
        parts = [part for part in manifest.participations if part.tier == name]
        rows = tuple(_row(part, manifest, axis_s, now_ns) for part in parts)
        yield Group(name, steps.get(name), rows)


def _row(
    part: manifest_pb2.Participation, manifest: manifest_pb2.Manifest, axis_s: float, now_ns: int
) -> Row:
    begun = part.status != manifest_pb2.PARTICIPATION_STATUS_SKIPPED
    return Row(
        stage=stage(part.stage),
        name=part.name,
        model=part.served_model or part.requested_model or part.model,
        look=LOOKS.get(part.status, UNKNOWN),
        status=status(part.status),
        reason=part.reason,
        reason_text=part.reason_text,
        start_s=_since(part.start_time, manifest) if begun else None,
        took_s=_part_s(part, now_ns) if begun else None,
        cost_usd=part.cost_usd,
        tokens=part.usage.input_tokens + part.usage.output_tokens,
        calls=part.model_calls,
        bars=tuple(_bars(part, manifest, axis_s, now_ns)) if begun else (),
        given=bool(part.name) and (part.tier, part.name) == given_seat(manifest),
    )


def _bars(
    part: manifest_pb2.Participation, manifest: manifest_pb2.Manifest, axis_s: float, now_ns: int
) -> Iterator[Bar]:
    whole = _bar(part, LOOKS.get(part.status, UNKNOWN), manifest, axis_s, now_ns)
    if whole is not None:
        yield whole
    for attempt in part.attempts:
        look = LOOKS.get(attempt.status, UNKNOWN)
        bar = _bar(attempt, look, manifest, axis_s, now_ns, hedge=attempt.hedge)
        if bar is not None:
            yield bar


def _bar(
    part: manifest_pb2.Participation | manifest_pb2.Attempt,
    look: str,
    manifest: manifest_pb2.Manifest,
    axis_s: float,
    now_ns: int,
    *,
    hedge: bool = False,
) -> Bar | None:
    start_s = _since(part.start_time, manifest)
    if start_s is None:
        return None
    left = min(100.0 - SLIVER, 100.0 * start_s / axis_s)
    width = min(100.0 - left, max(SLIVER, 100.0 * (_part_s(part, now_ns) or 0.0) / axis_s))
    return Bar(round(left, 3), round(width, 3), look, hedge)


def _since(start: Timestamp, manifest: manifest_pb2.Manifest) -> float | None:
    """Seconds from the request's arrival; None for what never began."""
    if not start.ByteSize():
        return None
    return max(0.0, (start.ToNanoseconds() - manifest.start_time.ToNanoseconds()) / 1e9)


def _part_s(part: manifest_pb2.Participation | manifest_pb2.Attempt, now_ns: int) -> float | None:
    """How long it took; until now while it is at work; None for what never began."""
    if part.HasField("duration"):
        return span_s(part.duration)
    if part.status or not part.start_time.ByteSize():
        return None
    return max(0.0, (now_ns - part.start_time.ToNanoseconds()) / 1e9)


def stages_at_work(parts: Sequence[manifest_pb2.Participation]) -> str:
    """What a request waits for, such as `jury of small`."""
    return ", ".join(dict.fromkeys(map(_at_work, parts)))


def _at_work(part: manifest_pb2.Participation) -> str:
    name = stage(part.stage)
    return name if part.tier in {"", name} else f"{name} of {part.tier}"
