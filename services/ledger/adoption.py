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
from services.ledger.signing import Signer

logger = logging.getLogger(__name__)

ENDED: Final = "SELECT request_id FROM manifests WHERE state != ? ORDER BY start_ns, request_id"


def adopt(
    connection: sqlite3.Connection, *, signer: Signer | None, replay_for_ns: int, now_ns: int
) -> None:
    """Append ends and feedback to the chain in their order, and keep what may be told again."""
    ended = connection.execute(ENDED, (MANIFEST_STATE_IN_PROGRESS,)).fetchall()
    for (request_id,) in ended:
        _adopt_end(
            connection, request_id, signer=signer, replay_for_ns=replay_for_ns, now_ns=now_ns
        )
    for request_id, feedback in connection.execute(
        "SELECT request_id, feedback FROM feedback ORDER BY id"
    ).fetchall():
        time_ns = Feedback.FromString(feedback).submit_time.ToNanoseconds()
        append(
            connection,
            RECORD_KIND_FEEDBACK,
            request_id=request_id,
            payload=feedback,
            time_ns=time_ns,
            signer=signer,
        )
    if ended:
        logger.warning("%d requests of an earlier version are records now, with texts", len(ended))


def _adopt_end(
    connection: sqlite3.Connection,
    request_id: str,
    *,
    signer: Signer | None,
    replay_for_ns: int,
    now_ns: int,
) -> None:
    summary, answers, reply = connection.execute(
        "SELECT manifest, answers, reply FROM manifests WHERE request_id = ?", (request_id,)
    ).fetchone()
    payload = summary + answers  # serialised messages merge by concatenation
    try:
        manifest = Manifest.FromString(payload)
    except DecodeError as err:
        raise ValueError(f"its request {request_id} cannot be read") from err
    end_ns = manifest.start_time.ToNanoseconds() + manifest.duration.ToNanoseconds()
    seq = append(
        connection,
        RECORD_KIND_END,
        request_id=request_id,
        payload=payload,
        time_ns=end_ns,
        signer=signer,
    )
    connection.execute(
        "UPDATE manifests SET seq = ?, manifest = x'', answers = x'', reply = NULL"
        " WHERE request_id = ?",
        (seq, request_id),
    )
    if end_ns + replay_for_ns > now_ns:
        told = AskResponse.FromString(reply or b"")
        told.manifest.CopyFrom(manifest)
        replies.keep(
            connection, request_id, told.SerializeToString(), expires_ns=end_ns + replay_for_ns
        )
