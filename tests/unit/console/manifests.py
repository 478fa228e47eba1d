"""Manifests as a page gets them."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from gremium.v1 import manifest_pb2, types_pb2

BEGAN_S = 1_790_000_000
JURY, JUDGE, ROUTER = (
    manifest_pb2.STAGE_JURY,
    manifest_pb2.STAGE_JUDGE,
    manifest_pb2.STAGE_ROUTER,
)
ANSWERED = manifest_pb2.PARTICIPATION_STATUS_ANSWERED
FAILED = manifest_pb2.PARTICIPATION_STATUS_FAILED
SKIPPED = manifest_pb2.PARTICIPATION_STATUS_SKIPPED


def at(seconds: float) -> Timestamp:
    """So many seconds after the request arrived."""
    stamp = Timestamp()
    stamp.FromNanoseconds(round((BEGAN_S + seconds) * 1e9))
    return stamp


def lasting(seconds: float) -> Duration:
    span = Duration()
    span.FromNanoseconds(round(seconds * 1e9))
    return span


def part(stage=JURY, name="", *, start_s=0.0, took_s=1.0, status=ANSWERED, tier="", **fields):
    return manifest_pb2.Participation(
        stage=stage,
        name=name,
        tier=tier,
        status=status,
        start_time=at(start_s),
        duration=None if took_s is None else lasting(took_s),
        **fields,
    )


def manifest(*parts, timeout_s=10.0, took_s=4.0, **fields):
    done = {"state": manifest_pb2.MANIFEST_STATE_COMPLETED, **fields}
    return manifest_pb2.Manifest(
        request_id="r1",
        ensemble="main",
        pattern="jury",
        start_time=at(0.0),
        timeout=lasting(timeout_s),
        duration=None if took_s is None else lasting(took_s),
        participations=parts,
        **done,
    )


def answer(juror, text="4", *, tier="", **fields):
    return types_pb2.Answer(juror=juror, text=text, tier=tier, **fields)


def tally(tier="", **classes):
    """One class for each key, with its jurors."""
    n = sum(map(len, classes.values()))
    return manifest_pb2.Tally(
        tier=tier,
        leader=next(iter(classes), ""),
        classes=[
            manifest_pb2.TallyClass(key=key, value=key, jurors=jurors, share=len(jurors) / n)
            for key, jurors in classes.items()
        ],
        ballots=[
            manifest_pb2.Ballot(juror=juror, key=key)
            for key, jurors in classes.items()
            for juror in jurors
        ],
    )
