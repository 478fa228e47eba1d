"""How each step of a plan went, as the manifest tells it."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from gremium.v1 import manifest_pb2, router_pb2
from services.config.steps import MERGE
from services.core.errors import GremiumError
from services.gateway.failures import error_record
from services.runtime.wire import duration_to_wire, timestamp_to_wire

ANSWERED = manifest_pb2.PARTICIPATION_STATUS_ANSWERED
FAILED = manifest_pb2.PARTICIPATION_STATUS_FAILED
SKIPPED = manifest_pb2.PARTICIPATION_STATUS_SKIPPED


class StepLog:
    """A record for each step, from the plan on."""

    def __init__(self, plan: router_pb2.Plan, *, critical: Iterable[str]) -> None:
        on_path = set(critical)
        self._steps = {step.id: _planned(step, on_path) for step in plan.steps}
        self._began_s: dict[str, float] = {}

    def merging(self, model: str, final: Iterable[str]) -> None:
        """The outputs are there, and become the answer."""
        self._steps[MERGE] = manifest_pb2.StepRecord(
            id=MERGE, specialist=model, depends_on=final, required=True, critical=True
        )
        self.began(MERGE)

    def began(self, step: str) -> None:
        self._began_s[step] = time.monotonic()
        self._steps[step].start_time.CopyFrom(timestamp_to_wire(datetime.now(UTC)))

    def recovering(self, step: str, how: str) -> None:
        """It failed, and something else is tried."""
        self._steps[step].recovery = how

    def shares(self, step: str, other: str) -> None:
        """It has the output of another one, that asked the same."""
        self._steps[step].same_as = other

    def gave(self, step: str, confidence: float | None) -> None:
        told = self._ended(step, ANSWERED)
        if confidence is not None:
            told.confidence = confidence

    def failed(self, step: str, why: Exception) -> None:
        told = self._ended(step, FAILED)
        if isinstance(why, GremiumError):
            told.reason = error_record(why).reason
        told.reason_text = str(why)

    def left_out(self, step: str, *, reason: str, reason_text: str) -> None:
        """It was never begun, or stopped because it was no longer needed."""
        told = self._ended(step, SKIPPED)
        told.reason, told.reason_text = reason, reason_text

    def written(self, parts: Iterable[manifest_pb2.Participation]) -> list[manifest_pb2.StepRecord]:
        """All of them, with what each has cost; a step that was cut off with its request says so."""
        by_step: dict[str, list[manifest_pb2.Participation]] = {}
        for part in parts:
            by_step.setdefault(part.tier, []).append(part)
        for name, told in self._steps.items():
            told.cost_usd = sum(part.cost_usd for part in by_step.get(name, []))
            told.model_calls = sum(part.model_calls for part in by_step.get(name, []))
            if not told.status:
                told.status = manifest_pb2.PARTICIPATION_STATUS_CANCELLED
        return list(self._steps.values())

    def _ended(
        self, step: str, status: manifest_pb2.ParticipationStatus.ValueType
    ) -> manifest_pb2.StepRecord:
        told = self._steps[step]
        told.status = status
        if step in self._began_s:
            told.duration.CopyFrom(duration_to_wire(time.monotonic() - self._began_s[step]))
        return told


def place_of(step: str, order: Mapping[str, int]) -> tuple[int, bool]:
    """Where a step stands; one of a nested graph behind the step that asked it."""
    outer, nested, _ = step.partition("/")
    return order[outer], bool(nested)


def _planned(step: router_pb2.Step, critical: set[str]) -> manifest_pb2.StepRecord:
    return manifest_pb2.StepRecord(
        id=step.id,
        specialist=step.specialist,
        depends_on=step.depends_on,
        required=step.required,
        critical=step.id in critical,
    )
