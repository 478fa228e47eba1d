"""Replies say how surely they are recorded, and carry their record for whoever wants to prove it."""

import asyncio

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ledger_pb2
from services.ledger.attest import verified
from services.ledger.signing import make_key, public_key
from tests.mesh.meshes import TIMEOUT_S, reason, request
from tests.mesh.test_ask import JURY
from tests.upstream import Reply


@pytest.fixture
def key(tmp_path):
    """The public key of the ledger; its private one lies beside the configuration."""
    make_key(tmp_path / "key.pem")
    return public_key((tmp_path / "key.pem").read_bytes())


def signed(**more):
    return {"key": "key.pem", "texts": "answers", **more}


@pytest.mark.parametrize("mode", ["strict", "relaxed"])
async def test_a_reply_carries_its_record_if_it_is_asked_for(serve, key, mode):
    gateway = await serve(JURY, ledger=signed(mode=mode))

    reply = await gateway.ask(request_id="r1", attest=True)

    assert reply.manifest == verified(reply.attestation, key)
    assert 1 == reply.attestation.sequence


async def test_a_reply_carries_none_else(serve, key):
    gateway = await serve(JURY, ledger=signed())

    assert not (await gateway.ask()).HasField("attestation")


async def test_a_repeated_request_may_ask_for_it_later(serve, key):
    gateway = await serve(JURY, ledger=signed())
    first = await gateway.ask(request_id="r1")

    again = await gateway.ask(request_id="r1", attest=True)

    assert (True, 3) == (again.replayed, gateway.provider.calls)
    assert first.manifest == verified(again.attestation, key)


async def test_a_stream_ends_with_it(serve, key):
    gateway = await serve(JURY, ledger=signed())
    asked = ensemble_pb2.AskStreamRequest(ask=request("What is 2 + 2?", attest=True))

    last = [event async for event in gateway.stub.AskStream(asked, timeout=TIMEOUT_S)][-1]

    assert last.final.manifest == verified(last.final.attestation, key)


async def test_a_manifest_carries_it_too(serve, key):
    gateway = await serve(JURY, ledger=signed())
    reply = await gateway.ask(request_id="r1")
    asked = ensemble_pb2.GetManifestRequest(request_id="r1", attest=True)

    found = await gateway.stub.GetManifest(asked, timeout=TIMEOUT_S)

    assert found.manifest == verified(found.attestation, key) == reply.manifest


async def test_a_manifest_that_keeps_no_words_is_proved_as_it_is_kept(serve, key):
    gateway = await serve(JURY, ledger={"key": "key.pem"})

    reply = await gateway.ask(request_id="r1", attest=True)

    (kept, *_), (given, *_) = verified(reply.attestation, key).answers, reply.manifest.answers
    assert ("", "4", given.juror) == (kept.text, given.text, kept.juror)
    assert "4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a" == kept.content_sha256


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("strict", ledger_pb2.LEDGER_MODE_STRICT),
        ("relaxed", ledger_pb2.LEDGER_MODE_RELAXED),
        ("off", ledger_pb2.LEDGER_MODE_OFF),
    ],
)
async def test_a_reply_says_how_surely_it_is_recorded(serve, mode, told):
    gateway = await serve(JURY, ledger={"mode": mode})

    assert told == (await gateway.ask()).ledger_mode


async def test_without_a_ledger_nothing_is_found_and_nothing_attested(serve, tmp_path):
    gateway = await serve(JURY, ledger={"mode": "off"})

    reply = await gateway.ask(request_id="r1", attest=True)

    assert ("4", False) == (reply.answer.text, reply.HasField("attestation"))
    with pytest.raises(grpc.aio.AioRpcError, match="the ledger is off") as caught:
        await gateway.manifest("r1")
    assert "UNKNOWN_REQUEST" == reason(caught.value)
    assert not list(tmp_path.rglob("*.sqlite*"))


async def test_without_a_ledger_who_waits_for_the_same_request_still_gets_its_reply(serve):
    script = {"a": Reply(delay_s=0.5)}
    gateway = await serve({"jurors": [{"model": "a"}]}, script, ledger={"mode": "off"})
    first = asyncio.create_task(gateway.ask(request_id="r1"))
    await gateway.provider.until(lambda: gateway.provider.running == 1)

    second = await gateway.ask(request_id="r1")

    assert ("4", True, 1) == (second.answer.text, second.replayed, gateway.provider.calls)
    assert not (await first).replayed


@pytest.mark.parametrize("mode", ["strict", "relaxed"])
async def test_a_request_is_told_again_whether_or_not_it_waited_for_the_disk(serve, mode):
    gateway = await serve(JURY, ledger={"mode": mode})
    first = await gateway.ask(request_id="again")

    again = await gateway.ask(request_id="again")

    assert (True, 3) == (again.replayed, gateway.provider.calls)
    assert first.manifest == again.manifest


async def test_a_reply_that_expired_is_not_asked_again(serve):
    gateway = await serve(JURY, ledger={"replay_for_s": 0})
    await gateway.ask(request_id="r1")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(request_id="r1")

    assert (grpc.StatusCode.ALREADY_EXISTS, "REPLY_EXPIRED") == (
        caught.value.code(),
        reason(caught.value),
    )
    assert 3 == gateway.provider.calls


async def test_a_key_that_cannot_be_read_stops_the_gateway(serve):
    with pytest.raises(Exception, match=r"cannot read key .*key\.pem"):
        await serve(JURY, ledger=signed())
