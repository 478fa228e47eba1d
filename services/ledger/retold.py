"""Holds replies that are kept to be told again against the records of how their requests ended."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.manifest_pb2 import MANIFEST_STATE_IN_PROGRESS, Manifest
from gremium.v1.types_pb2 import Answer
from services.ledger.audit import Fault
from services.ledger.texts import Texts, content_sha256

KEPT: Final = """
    SELECT m.seq, p.request_id, p.reply, r.payload FROM replies p
      JOIN manifests m ON m.request_id = p.request_id JOIN records r ON r.seq = m.seq
     WHERE m.state != ? AND r.payload IS NOT NULL ORDER BY m.seq
"""
WITHOUT_WORDS: Final = Texts()


def altered(connection: sqlite3.Connection) -> Fault | None:
    """The first record whose reply is kept otherwise than it was recorded; None: all are as it says."""
    for seq, request_id, reply, payload in connection.execute(KEPT, (MANIFEST_STATE_IN_PROGRESS,)):
        if not _says_the_same(reply, payload):
            return Fault(
                seq, f"the kept reply of request {request_id} is not the one of its record"
            )
    return None


def _says_the_same(reply: bytes, payload: bytes) -> bool:
    try:
        told, recorded = AskResponse.FromString(reply), Manifest.FromString(payload)
    except DecodeError:
        return False
    digests = [_digest(answer) for answer in recorded.answers]
    same = digests == [_digest(answer) for answer in told.manifest.answers]
    return same and _is_given(told, digests) and _bare(told.manifest) == _bare(recorded)


def _is_given(told: AskResponse, digests: Sequence[str]) -> bool:
    """Whether the answer is one that is recorded; one put together of several is not."""
    spliced = any(tally.spliced for tally in told.manifest.tallies)
    return spliced or not told.HasField("answer") or _digest(told.answer) in digests


def _digest(answer: Answer) -> str:
    return answer.content_sha256 or content_sha256(answer)


def _bare(manifest: Manifest) -> bytes:
    """What is left of a manifest whatever its record keeps of words, and may redact of ballots."""
    WITHOUT_WORDS.settle(manifest)
    for answer in manifest.answers:
        answer.ClearField("content_sha256")
    for tally in manifest.tallies:
        for each in tally.classes:
            each.ClearField("value")
    return manifest.SerializeToString(deterministic=True)
