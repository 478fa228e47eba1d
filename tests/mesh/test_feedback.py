"""Feedback is tied to a request: it says whose answer was right, and what is learned goes by it."""

import grpc
import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2
from services.calibration.recorded import outcomes_of
from services.routing.recorded import qualities_by_juror
from tests.mesh.meshes import TIMEOUT_S, reason
from tests.upstream import Reply

LABELS = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["yes", "no"]))
JURY = {"jurors": [{"model": name} for name in ("a", "b", "c")]}
SCRIPT = {"a": Reply(text="yes"), "b": Reply(text="no"), "c": Reply(text="yes")}


async def submitted(gateway, request_id, **said):
    """The feedback as recorded, and the manifest that shows it."""
    request = ensemble_pb2.SubmitFeedbackRequest(
        request_id=request_id, feedback=manifest_pb2.Feedback(**said)
    )
    reply = await gateway.stub.SubmitFeedback(request, timeout=TIMEOUT_S)
    return reply.feedback, await gateway.manifest(request_id)


async def test_who_is_preferred_is_right_and_the_others_are_wrong(serve):
    gateway = await serve(JURY, SCRIPT)
    asked = await gateway.ask(shape=LABELS)

    said, manifest = await submitted(
        gateway,
        asked.request_id,
        kind=manifest_pb2.FEEDBACK_KIND_PREFERRED,
        preferred_juror="b",
    )

    (outcome,) = outcomes_of(manifest)
    assert ("yes", 0.0, "jury") == (asked.answer.text, said.score, said.preferred_tier)
    assert {"a": False, "b": True, "c": False} == outcome.right
    assert {"a": 0.0, "b": 1.0, "c": 0.0} == {
        juror: quality for (_, juror), quality in qualities_by_juror(manifest).items()
    }


@pytest.mark.parametrize(
    ("kind", "score"),
    [
        (manifest_pb2.FEEDBACK_KIND_CORRECT, 1.0),
        (manifest_pb2.FEEDBACK_KIND_INCORRECT, 0.0),
    ],
)
async def test_a_plain_word_is_recorded_as_a_score(serve, kind, score):
    gateway = await serve(JURY, SCRIPT)
    asked = await gateway.ask(shape=LABELS)

    said, manifest = await submitted(gateway, asked.request_id, kind=kind)

    assert (kind, score) == (said.kind, said.score)
    assert [said] == list(manifest.feedback)


async def test_nobody_is_preferred_who_gave_no_answer(serve):
    gateway = await serve(JURY, SCRIPT)
    asked = await gateway.ask(shape=LABELS)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await submitted(
            gateway,
            asked.request_id,
            kind=manifest_pb2.FEEDBACK_KIND_PREFERRED,
            preferred_juror="z",
        )

    assert "INVALID_REQUEST" == reason(caught.value)
    assert not (await gateway.manifest(asked.request_id)).feedback
