"""Records as they are handed out, and whether one that was handed out is genuine."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.message import DecodeError

from gremium.v1.ledger_pb2 import RECORD_KIND_END, Attestation
from gremium.v1.manifest_pb2 import Manifest
from services.core.errors import LedgerError
from services.ledger.chain import Record, hash_of
from services.ledger.signing import ID_BYTES, Verifier, key_id_of


def attestation_of(record: Record, chain_id: str) -> Attestation:
    """The end of a request, for whoever asked for it.

    Raises
    ------
    ValueError
        If retention removed its payload.
    """
    if record.payload is None:
        raise ValueError(f"record {record.seq} has no payload any more")
    told = Attestation(
        chain_id=chain_id,
        sequence=record.seq,
        previous=record.previous,
        record=record.payload,
        record_sha256=record.payload_sha256,
        key_id=key_id_of(record.signature),
        signature=record.signature[ID_BYTES:],
    )
    told.time.FromNanoseconds(record.time_ns)
    return told


def verified(attestation: Attestation, key: Ed25519PublicKey) -> Manifest:
    """The manifest that an attestation proves, if it was signed by this key as it is.

    That it is in the chain still, only the ledger tells.

    Raises
    ------
    LedgerError
        If it was not signed by this key, or changed since; says which.
    """
    if hashlib.sha256(attestation.record).digest() != attestation.record_sha256:
        raise LedgerError("the attested record was changed: it has another digest")
    try:
        manifest = Manifest.FromString(attestation.record)
    except DecodeError as err:
        raise LedgerError("the attested record is no manifest") from err
    hashed = hash_of(_linked(attestation, manifest.request_id), attestation.chain_id)
    signature = _signature(attestation)
    if problem := Verifier(key).problem_of(signature, hashed):
        raise LedgerError(f"the attested record is not proved: {problem}")
    return manifest


def _linked(attestation: Attestation, request_id: str) -> Record:
    """The record, as far as its hash goes by it."""
    return Record(
        seq=attestation.sequence,
        kind=RECORD_KIND_END,
        request_id=request_id,
        time_ns=attestation.time.ToNanoseconds(),
        payload=attestation.record,
        payload_sha256=attestation.record_sha256,
        previous=attestation.previous,
        hash=b"",
        signature=b"",
    )


def _signature(attestation: Attestation) -> bytes:
    """As a record has it."""
    try:
        key_id = bytes.fromhex(attestation.key_id)
    except ValueError as err:
        raise LedgerError("the attestation names no key") from err
    return key_id + attestation.signature if attestation.signature else b""
