"""Manifests and replies to record."""

from datetime import UTC, datetime, timedelta

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2
from services.runtime.wire import timestamp_to_wire

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def intent(request_id="r1", *, ensemble="trio", second=0):
    return manifest_pb2.Manifest(
        request_id=request_id,
        ensemble=ensemble,
        pattern="jury",
        state=manifest_pb2.MANIFEST_STATE_IN_PROGRESS,
        start_time=timestamp_to_wire(NOON + timedelta(seconds=second)),
        labels={"team": "blue"},
    )


def ended(begun, *, text="Paris"):
    """The reply to a request that was begun."""
    answer = types_pb2.Answer(juror="a", text=text)
    manifest = manifest_pb2.Manifest()
    manifest.CopyFrom(begun)
    manifest.state = manifest_pb2.MANIFEST_STATE_COMPLETED
    manifest.outcome = manifest_pb2.OUTCOME_ANSWERED
    manifest.answers.append(answer)
    manifest.cost_usd = 0.25
    return ensemble_pb2.AskResponse(
        request_id=begun.request_id,
        outcome=manifest_pb2.OUTCOME_ANSWERED,
        answer=answer,
        manifest=manifest,
    )


def spent(begun):
    """What a request that was begun tells of itself while it runs."""
    manifest = manifest_pb2.Manifest()
    manifest.CopyFrom(begun)
    used = types_pb2.Usage(input_tokens=10, output_tokens=5)
    asked = {"model_calls": 1, "cost_usd": 0.25, "usage": used}
    status = manifest_pb2.PARTICIPATION_STATUS_ANSWERED
    manifest.participations.add(stage=manifest_pb2.STAGE_JURY, name="a", status=status, **asked)
    asked |= {"model_calls": 2, "cost_usd": 0.5}
    manifest.participations.add(stage=manifest_pb2.STAGE_JUDGE, name="b", **asked)
    return manifest


def failed(
    begun,
    *,
    code="ABORTED",
    reason="QUORUM_NOT_REACHED",
    message="1 of 2 answered",
    parts=(),
    model_calls=1,
    **error,
):
    manifest = manifest_pb2.Manifest()
    manifest.CopyFrom(begun)
    manifest.state = manifest_pb2.MANIFEST_STATE_FAILED
    record = manifest_pb2.ErrorRecord(code=code, reason=reason, message=message, **error)
    manifest.error.CopyFrom(record)
    manifest.participations.extend(parts)
    manifest.model_calls = model_calls
    return manifest
