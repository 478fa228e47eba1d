"""Reads the requests that were answered, for whoever learns from them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from gremium.v1 import manifest_pb2
from services.core.errors import LedgerError
from services.ledger.sqlite import BUSY_S

ROWS: Final = (
    "SELECT m.manifest, f.feedback FROM manifests m"
    " LEFT JOIN feedback f ON f.id = (SELECT MAX(id) FROM feedback WHERE request_id = m.request_id)"
    " WHERE m.state = ? ORDER BY m.start_ns, m.request_id"
)


def answered(path: Path) -> Iterator[manifest_pb2.Manifest]:
    """Manifests of completed requests, oldest first, without answers, with the newest feedback.

    Reads while a gateway writes; writes nothing.

    Raises
    ------
    LedgerError
        If the file is missing, or no ledger.
    """
    if not path.is_file():
        raise LedgerError(f"there is no ledger {path}")
    uri, state = f"{path.absolute().as_uri()}?mode=ro", manifest_pb2.MANIFEST_STATE_COMPLETED
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as connection:
            for manifest, feedback in connection.execute(ROWS, (state,)):
                found = manifest_pb2.Manifest.FromString(manifest)
                if feedback is not None:
                    found.feedback.append(manifest_pb2.Feedback.FromString(feedback))
                yield found
    except sqlite3.Error as err:
        raise LedgerError(f"cannot read ledger {path}: {err}") from err
