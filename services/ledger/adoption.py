"""What a file of an earlier version has recorded becomes records of its chain, texts and all."""

import logging
import sqlite3
from typing import Final

from google.protobuf.message import DecodeError

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.ledger_pb2 import RECORD_KIND_END, RECORD_KIND_FEEDBACK
from gremium.v1.manifest_pb2 import MANIFEST_STATE_IN_PROGRESS, Feedback, Manifest
from services.ledger import replies
from services.ledger.chain import append
from services.ledger.terms import Terms

logger = logging.getLogger(__name__)

ENDED: Final = "SELECT request_id FROM manifests WHERE state != ? ORDER BY start_ns, request_id"
ONE: Final = "SELECT manifest, answers, reply FROM manifests WHERE request_id = ?"
SAID: Final = "SELECT request_id, feedback FROM feedback ORDER BY id"
MOVED: Final = (
    "UPDATE manifests SET seq = ?, manifest = x'', answers = x'', reply = NULL WHERE request_id = ?"
)


def adopt(connection: sqlite3.Connection, *, terms: Terms, now_ns: int) -> None:
    """Append ends and feedback to the chain in their order, and keep what may be told again.

    Raises
    ------
    ValueError
        If one of them cannot be read.
    """
    ended = connection.execute(ENDED, (MANIFEST_STATE_IN_PROGRESS,)).fetchall()
    for (request_id,) in ended:
        _adopt_end(connection, _told(connection, request_id), terms=terms, now_ns=now_ns)
    for request_id, feedback in connection.execute(SAID).fetchall():
        append(
            connection,
            RECORD_KIND_FEEDBACK,
            request_id=request_id,
            payload=feedback,
            time_ns=Feedback.FromString(feedback).submit_time.ToNanoseconds(),
            signer=terms.signer,
        )
    if ended:
        logger.warning("%d requests of an earlier version are records now, with texts", len(ended))


def _told(connection: sqlite3.Connection, request_id: str) -> AskResponse:
    """What a request replied, whole; of one that failed a reply with nothing but the manifest."""
    summary, answers, reply = connection.execute(ONE, (request_id,)).fetchone()
    try:
        told = AskResponse.FromString(reply or b"")
        told.manifest.CopyFrom(Manifest.FromString(summary + answers))
    except DecodeError as err:
        raise ValueError(f"its request {request_id} cannot be read") from err
    told.manifest.request_id = request_id
    return told


def _adopt_end(
    connection: sqlite3.Connection, told: AskResponse, *, terms: Terms, now_ns: int
) -> None:
    manifest = told.manifest
    end_ns = manifest.start_time.ToNanoseconds() + manifest.duration.ToNanoseconds()
    seq = append(
        connection,
        RECORD_KIND_END,
        request_id=manifest.request_id,
        payload=manifest.SerializeToString(),
        time_ns=end_ns,
        signer=terms.signer,
    )
    connection.execute(MOVED, (seq, manifest.request_id))
    expires_ns = end_ns + round(terms.replay_for_s * 1e9)
    if expires_ns > now_ns:
        reply = told.SerializeToString()
        replies.keep(connection, manifest.request_id, reply, expires_ns=expires_ns)
