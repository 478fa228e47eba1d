"""Reads the requests that were answered, for whoever learns from them."""

from collections.abc import Iterator
from pathlib import Path

from gremium.v1.manifest_pb2 import Manifest
from services.ledger import queries
from services.ledger.reading import reading


def answered(path: Path) -> Iterator[Manifest]:
    """Manifests of completed requests, oldest first, as recorded, with the newest feedback.

    Reads while a gateway writes; writes nothing.

    Raises
    ------
    LedgerError
        If the file is missing, or no ledger of this version.
    """
    with reading(path) as connection:
        yield from queries.ended(connection, labelled=False)
