"""Files with chains of records, made as the ledger makes them, and changed as nobody should."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from gremium.v1.ledger_pb2 import RECORD_KIND_END, RECORD_KIND_FEEDBACK, RECORD_KIND_SHADOW
from gremium.v1.manifest_pb2 import Feedback
from services.ledger import entries
from services.ledger.chain import append
from services.ledger.schema import migrate
from tests.unit.ledger.entries import NOON, ended, intent

NOON_NS = int(NOON.timestamp()) * 10**9
DAY_NS = 24 * 3600 * 10**9


@contextmanager
def opened(path) -> Iterator[sqlite3.Connection]:
    """A ledger's file, of today's version; what the block does is committed."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        migrate(connection, adopt=lambda _: None)
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


def add(path, *request_ids, signer=None, time_ns=NOON_NS):
    """Append the end of each request, with its row."""
    found = (ended(intent(id_)).manifest for id_ in request_ids)
    add_ends(path, *found, signer=signer, time_ns=time_ns)


def add_ends(path, *manifests, signer=None, time_ns=NOON_NS):
    with opened(path) as connection:
        for manifest in manifests:
            seq = append(
                connection,
                RECORD_KIND_END,
                request_id=manifest.request_id,
                payload=manifest.SerializeToString(),
                time_ns=time_ns,
                signer=signer,
            )
            row = {**asdict(entries.ended(manifest)), "seq": seq}
            connection.execute(
                "INSERT INTO manifests (request_id, fingerprint, ensemble, state, outcome, start_ns,"
                " cost_micro_usd, caller, charged_usd, manifest, seq) VALUES (:request_id, 'f',"
                " :ensemble, :state, :outcome, :start_ns, :cost_micro_usd, :caller, :charged_usd,"
                " x'', :seq)",
                row,
            )


def add_feedback(path, request_id, *, signer=None, time_ns=NOON_NS):
    with opened(path) as connection:
        append(
            connection,
            RECORD_KIND_FEEDBACK,
            request_id=request_id,
            payload=Feedback(score=1.0).SerializeToString(),
            time_ns=time_ns,
            signer=signer,
        )


def add_shadow(path, record, *, signer=None, time_ns=NOON_NS):
    with opened(path) as connection:
        append(
            connection,
            RECORD_KIND_SHADOW,
            request_id=record.request_id,
            payload=record.SerializeToString(),
            time_ns=time_ns,
            signer=signer,
        )


def change(path, statement, *values):
    """What somebody with an editor for databases does."""
    with opened(path) as connection:
        assert connection.execute(statement, values).rowcount


def count(path, table):
    with opened(path) as connection:
        return connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608
