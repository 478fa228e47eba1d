"""A client proves by the public key alone what it was handed."""

import json

import pytest

from services.cli.show import as_dict
from services.ledger.attest import attestation_of
from services.ledger.chain import chain_id_of, record_at
from tests.unit.ledger.chains import opened
from tests.unit.ledger.entries import ended, intent


def told(result):
    code, out, _ = result
    return code, json.loads(out)


@pytest.fixture
def attested(ledger_file, three, tmp_path):
    """The reply to r2, with its attestation, as JSON."""
    with opened(ledger_file) as connection:
        record = record_at(connection, 2)
        attestation = attestation_of(record, chain_id_of(connection))
    reply = ended(intent("r2"))
    reply.attestation.CopyFrom(attestation)
    file = tmp_path / "reply.json"
    file.write_text(json.dumps(as_dict(reply)))
    return file


def test_a_client_verifies_what_it_was_handed_by_the_public_key_alone(ledger, attested, tmp_path):
    (tmp_path / "gremium.yaml").unlink()
    (tmp_path / "ledger.sqlite").unlink()

    code, found = told(ledger("verify", "--manifest", attested, "--key", "key.pem.pub", "--json"))

    assert (0, True, 2) == (code, found["ok"], found["sequence"])
    assert "r2" == found["manifest"]["request_id"]


def altered(file, change):
    reply = json.loads(file.read_text())
    change(reply)
    file.write_text(json.dumps(reply))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(
            lambda reply: reply["attestation"].update(record="AAAA"), "was changed", id="record"
        ),
        pytest.param(
            lambda reply: reply["attestation"].update(sequence=3), "not proved", id="place"
        ),
        pytest.param(
            lambda reply: reply["manifest"].update(cost_usd=0.01), "beside", id="manifest beside"
        ),
        pytest.param(
            lambda reply: reply["manifest"]["answers"][0].update(text="Rome"), "beside", id="answer"
        ),
    ],
)
def test_a_manifest_that_was_changed_is_found(ledger, attested, change, problem):
    altered(attested, change)

    code, found = told(ledger("verify", "--manifest", attested, "--json"))

    assert (1, False) == (code, found["ok"])
    assert problem in found["problem"]


def test_a_manifest_signed_by_another_key_is_not_believed(ledger, attested, tmp_path):
    ledger("key", "other.pem")

    code, out, _ = ledger("verify", "--manifest", attested, "--key", "other.pem.pub")

    assert 1 == code
    assert "is signed by key" in out


def test_a_file_without_an_attestation_is_named(ledger, signer, tmp_path):
    (tmp_path / "x.json").write_text("[]")

    assert 1 == ledger("verify", "--manifest", "x.json")[0]
