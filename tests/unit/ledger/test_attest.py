"""Whoever was handed a record can prove it by the public key alone."""

import pytest

from gremium.v1 import ledger_pb2
from services.core.errors import LedgerError
from services.ledger.attest import verified
from services.ledger.signing import (
    make_key,
    public_key,
    public_pem,
    signer_of,
    verifier_of,
)
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from services.ledger.texts import Texts
from tests.unit.ledger.entries import ended, failed, intent


@pytest.fixture
def key(tmp_path):
    """A key file, and the public key that belongs to it."""
    make_key(tmp_path / "key.pem")
    return public_key((tmp_path / "key.pem").read_bytes())


@pytest.fixture
async def ledger(path, key, tmp_path):
    terms = Terms(texts=Texts("answers"), signer=signer_of(tmp_path / "key.pem"))
    async with open_ledger(path, terms) as opened:
        yield opened


async def attested(ledger, name="r1"):
    await ledger.begin(intent(name), fingerprint="f")
    await ledger.finish(ended(intent(name)))
    return await ledger.attestation(name)


async def test_an_attestation_proves_the_manifest(ledger, key):
    assert ended(intent()).manifest == verified(await attested(ledger), key)


async def test_it_proves_how_a_request_failed(ledger, key):
    await ledger.begin(intent(), fingerprint="f")
    await ledger.fail(failed(intent()))

    assert "1 of 2 answered" == verified(await ledger.attestation("r1"), key).error.message


@pytest.mark.parametrize("field", ledger_pb2.Attestation.DESCRIPTOR.fields_by_name)
async def test_it_proves_nothing_once_anything_in_it_was_changed(ledger, key, field):
    attestation = await attested(ledger)
    match getattr(attestation, field):
        case bytes() as data:
            setattr(attestation, field, bytes([data[0] ^ 1]) + data[1:])
        case str() as text:
            setattr(attestation, field, ("0" if text[0] != "0" else "1") + text[1:])
        case int() as number:
            setattr(attestation, field, number + 1)
        case moment:
            moment.nanos ^= 1

    with pytest.raises(LedgerError):
        verified(attestation, key)


async def test_another_key_proves_nothing(ledger, tmp_path):
    make_key(tmp_path / "other.pem")
    other = public_key((tmp_path / "other.pem").read_bytes())

    with pytest.raises(LedgerError, match="it is signed by key"):
        verified(await attested(ledger), other)


async def test_what_is_not_signed_proves_nothing(path, key):
    async with open_ledger(path) as unsigned:
        attestation = await attested(unsigned)

    assert ("", b"") == (attestation.key_id, attestation.signature)
    with pytest.raises(LedgerError, match="it is not signed"):
        verified(attestation, key)


async def test_a_request_that_runs_or_is_unknown_has_none(ledger):
    await ledger.begin(intent(), fingerprint="f")

    assert await ledger.attestation("r1") is None
    assert await ledger.attestation("r2") is None


def test_a_public_key_is_handed_out_as_text(key, tmp_path):
    (tmp_path / "public.pem").write_bytes(public_pem(key))

    own = verifier_of(tmp_path / "key.pem").key_id
    assert (
        own == verifier_of(tmp_path / "public.pem").key_id == signer_of(tmp_path / "key.pem").key_id
    )


def test_a_key_is_for_its_owner_and_never_replaced(key, tmp_path):
    path = tmp_path / "key.pem"

    assert 0o600 == path.stat().st_mode & 0o777
    with pytest.raises(LedgerError, match="exists; a key is never replaced"):
        make_key(path)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nxx\n"])
def test_a_file_that_holds_no_key_is_named(tmp_path, content):
    path = tmp_path / "broken.pem"
    path.write_bytes(content)

    with pytest.raises(LedgerError, match=r"broken\.pem holds no private key"):
        signer_of(path)
    with pytest.raises(LedgerError, match=r"broken\.pem holds no public key"):
        verifier_of(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LedgerError, match=r"cannot read key .*none\.pem: No such file"):
        signer_of(tmp_path / "none.pem")
