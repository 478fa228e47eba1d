"""A reply that would be too large loses answers of its manifest, never of the ledger."""

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2
from services.config.tree import LoadedConfig
from services.core.deadline import Deadline
from services.gateway.fitting import MOST_BYTES, fit
from services.gateway.service import EnsembleServicer
from services.runtime.local import LocalContext
from tests.cases import PROMPT, config, tier
from tests.fakes import ScriptedMesh

LONG = "x" * 1024 * 1024


def reply_of(*texts):
    answers = [types_pb2.Answer(juror="a", text=text) for text in texts]
    return ensemble_pb2.AskResponse(
        answer=answers[0], manifest=manifest_pb2.Manifest(answers=answers)
    )


def test_a_reply_that_fits_stays_whole():
    reply = reply_of("4", "5")
    fit(reply)

    assert reply_of("4", "5") == reply


def test_the_last_answers_are_left_out_and_counted():
    reply = reply_of(*[LONG] * 5)
    fit(reply)

    assert reply.ByteSize() <= MOST_BYTES
    assert (2, 3) == (len(reply.manifest.answers), reply.manifest.answers_omitted)
    assert LONG == reply.answer.text


def test_an_attestation_that_takes_most_of_the_room_is_left_out_before_answers():
    reply = reply_of("4", "5")
    reply.attestation.record = b"x" * (MOST_BYTES // 2)
    fit(reply)

    assert reply_of("4", "5") == reply


async def test_what_was_paid_is_delivered_and_recorded(ledger, tmp_path):
    mesh = ScriptedMesh({"jury": [LONG] * 9})
    nine = config(tier("jury", seats=9), judge=None)
    loaded = LoadedConfig(config=nine, path=tmp_path / "gremium.yaml", sha256="0" * 64)
    servicer, context = EnsembleServicer(mesh, ledger, loaded), LocalContext(Deadline.after(5))

    asked = ensemble_pb2.AskRequest(request_id="big", prompt=PROMPT)
    reply = await servicer.Ask(asked, context)
    sought = ensemble_pb2.GetManifestRequest(request_id="big")
    read = await servicer.GetManifest(sought, context)

    assert reply.ByteSize() <= MOST_BYTES
    assert read.ByteSize() <= MOST_BYTES
    assert LONG == reply.answer.text
    assert (2, 7) == (len(reply.manifest.answers), reply.manifest.answers_omitted)
    assert 9 == len((await ledger.manifest("big")).answers)
