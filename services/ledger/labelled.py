"""Reads the requests that somebody said something of: what a calibration is made of."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from gremium.v1 import manifest_pb2
from services.core.errors import LedgerError
from services.ledger.sqlite import BUSY_S

ROWS: Final = (
    "SELECT m.manifest, m.answers, f.feedback FROM feedback f"
    " JOIN manifests m ON m.request_id = f.request_id"
    " WHERE f.id = (SELECT MAX(id) FROM feedback WHERE request_id = f.request_id)"
    " ORDER BY m.start_ns, m.request_id"
)


def labelled(path: Path) -> Iterator[manifest_pb2.Manifest]:
    """Manifests with feedback, oldest first, each with its answers and the newest feedback.

    Reads while a gateway writes; writes nothing.

    Raises
    ------
    LedgerError
        If the file is missing, or no ledger.
    """
    if not path.is_file():
        raise LedgerError(f"there is no ledger {path}")
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as connection:
            for manifest, answers, feedback in connection.execute(ROWS):
                found = manifest_pb2.Manifest.FromString(manifest + answers)
                found.feedback.append(manifest_pb2.Feedback.FromString(feedback))
                yield found
    except sqlite3.Error as err:
        raise LedgerError(f"cannot read ledger {path}: {err}") from err
