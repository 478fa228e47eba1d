"""With `texts: nothing` no word of a prompt, a model, a judge or a provider reaches the disk."""

import json

import grpc
import pytest

from gremium.v1 import manifest_pb2, types_pb2
from services.ledger.chain import records
from services.ledger.reading import reading
from tests.mesh.meshes import TIMEOUT_S, reason, request
from tests.upstream import Reply

WORDLESS = {"path": "ledger.sqlite", "replay_for_s": 0}
CANARY = "canary-7f3a in a coal mine"
FAILING = json.dumps({"error": {"message": f"cannot read: {CANARY}"}}).encode()
OBJECTS = {"evidence": f"it says {CANARY}", "quote": CANARY, "pass": False, "score": 0.1}
PASSES = {"evidence": CANARY, "pass": True, "score": 0.9}
OBJECTION = json.dumps({"hallucination": OBJECTS, "safety": PASSES, "logic": PASSES})


@pytest.fixture
def disk(tmp_path):
    """All that the ledger has on the disk."""

    def read():
        return b"".join(each.read_bytes() for each in tmp_path.glob("ledger.sqlite*"))

    return read


def kept(tmp_path):
    with reading(tmp_path / "ledger.sqlite") as connection:
        payloads = [record.payload for record in records(connection)]
    return [manifest_pb2.Manifest.FromString(payload) for payload in payloads]


JURY = {"jurors": [{"model": "a"}, {"model": "b"}, {"model": "c"}]}
JUDGED = {**JURY, "judge": {"models": ["judge"]}, "deliver_rejected": True}


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        pytest.param(None, f"They found a {CANARY}.", id="prose"),
        pytest.param(
            types_pb2.OutputFormat(json=types_pb2.JsonFormat()),
            json.dumps({CANARY: CANARY}),
            id="json",
        ),
    ],
)
async def test_of_a_request_that_was_answered(serve, disk, tmp_path, shape, text):
    script = {name: Reply(text=text) for name in "abc"} | {"judge": Reply(text=OBJECTION)}
    gateway = await serve(JUDGED, script, ledger=WORDLESS)

    reply = await gateway.ask(f"Who sings of a {CANARY}?", shape=shape)

    assert CANARY in reply.answer.text
    (manifest,) = kept(tmp_path)
    assert ["a", "b", "c"] == [answer.juror for answer in manifest.answers]
    assert {64} == {len(answer.content_sha256) for answer in manifest.answers}
    assert [("judge", 0.1, "")] == [(v.judge, v.score, v.reason_text) for v in manifest.verdicts]
    assert CANARY.encode() not in disk()


async def test_of_a_request_whose_providers_quote_it_when_they_fail(serve, disk, tmp_path):
    failing = {name: Reply(status=400, body=FAILING) for name in "abc"}
    gateway = await serve(JURY, failing, ledger=WORDLESS)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(f"Who sings of a {CANARY}?")

    assert "QUORUM_NOT_REACHED" == reason(caught.value)
    (manifest,) = kept(tmp_path)
    assert {"HTTP_STATUS"} == {part.reason for part in manifest.participations if part.model}
    assert CANARY.encode() not in disk()


async def test_of_a_request_that_is_running(serve, disk):
    script = {"a": Reply(text=f"a {CANARY}"), "b": Reply(hang=True), "c": Reply(hang=True)}
    gateway = await serve({**JURY, "quorum": 3}, script, ledger=WORDLESS)
    asking = gateway.stub.Ask(request(CANARY), timeout=TIMEOUT_S)
    await gateway.provider.until(lambda: gateway.provider.calls == 3)
    found = disk()
    asking.cancel()

    assert b"main" in found
    assert CANARY.encode() not in found
