"""Counts what the stages behind the gateway did since it started."""

from datetime import UTC, datetime

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.runtime.wire import timestamp_to_wire

STAGES = (
    manifest_pb2.STAGE_ROUTER,
    manifest_pb2.STAGE_JURY,
    manifest_pb2.STAGE_AGGREGATOR,
    manifest_pb2.STAGE_JUDGE,
)
"""Stages that are services of their own."""


class StageLog:
    """One for a gateway; its requests write to it from one event loop."""

    def __init__(self) -> None:
        self._records = {stage: ensemble_pb2.StageRecord(stage=stage) for stage in STAGES}

    def called(self, stage: manifest_pb2.Stage.ValueType) -> None:
        if stage in self._records:
            self._records[stage].calls += 1

    def failed(self, stage: manifest_pb2.Stage.ValueType, reason: str) -> None:
        if stage in self._records:
            record = self._records[stage]
            record.failed_calls += 1
            record.last_reason = reason
            record.last_failure_time.CopyFrom(timestamp_to_wire(datetime.now(UTC)))

    def records(self) -> list[ensemble_pb2.StageRecord]:
        """One per stage, in the order of a request."""
        return list(self._records.values())


def stage_name(stage: manifest_pb2.Stage.ValueType) -> str:
    """A stage as people call it, such as `router`."""
    return manifest_pb2.Stage.Name(stage).removeprefix("STAGE_").lower()
