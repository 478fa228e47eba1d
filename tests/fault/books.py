"""What a ledger holds in the end, beside what its callers were told."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gremium.v1 import ledger_pb2, manifest_pb2
from tests.fault.callers import Told


@dataclass(frozen=True)
class Books:
    """The ends of requests, as recorded, oldest first, and those that are open."""

    ends: dict[str, list[manifest_pb2.Manifest]]
    open: list[str]

    def missing(self, told: Told) -> list[str]:
        """Acknowledged, but not recorded as completed."""
        return [id_ for id_ in told.replies if not any(map(_completed, self.ends.get(id_, ())))]

    def different(self, told: Told) -> list[str]:
        """Recorded otherwise than acknowledged."""
        return [
            id_
            for id_, manifest in told.replies.items()
            if not any(manifest == each for each in self.ends.get(id_, ()))
        ]

    def doubled(self) -> list[str]:
        """With more than one end that can have been paid for."""
        return [id_ for id_, ends in self.ends.items() if sum(map(_final, ends)) > 1]

    def not_aborted(self, told: Told) -> list[str]:
        """Told to be interrupted, but not recorded so."""
        return [
            id_
            for id_ in told.interrupted
            if not any(each.error.reason == "INTERRUPTED" for each in self.ends.get(id_, ()))
        ]

    def strange(self, told: Told) -> list[str]:
        """Recorded, but nobody asked it."""
        return [id_ for id_ in self.ends if id_ not in told.sent]

    @property
    def aborted(self) -> list[str]:
        return [id_ for id_, ends in self.ends.items() if ends[-1].error.reason == "INTERRUPTED"]


def books(path: Path) -> Books:
    """Read a ledger that nobody has open."""
    ends = defaultdict(list)
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT request_id, payload FROM records WHERE kind = ? ORDER BY seq",
            (ledger_pb2.RECORD_KIND_END,),
        )
        for request_id, payload in rows:
            ends[request_id].append(manifest_pb2.Manifest.FromString(payload))
        left = connection.execute(
            "SELECT request_id FROM manifests WHERE state = ?",
            (manifest_pb2.MANIFEST_STATE_IN_PROGRESS,),
        ).fetchall()
    return Books(dict(ends), [id_ for (id_,) in left])


def _completed(manifest: manifest_pb2.Manifest) -> bool:
    return manifest.state == manifest_pb2.MANIFEST_STATE_COMPLETED


def _final(manifest: manifest_pb2.Manifest) -> bool:
    return _completed(manifest) or manifest.error.reason == "INTERRUPTED"
