"""Records as rows of PostgreSQL: copied as they are, with columns to search by. No I/O."""

from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError

from gremium.v1.ledger_pb2 import RECORD_KIND_END
from gremium.v1.manifest_pb2 import Manifest, ManifestState, Outcome
from services.ledger.chain import Record

COPIED: Final = tuple(Record.__slots__)
SEARCHED: Final = ("ensemble", "caller", "state", "outcome", "error", "cost_usd")


def columns(records: Sequence[Record]) -> dict[str, list[Any]]:
    """All values of each column, in the records' order."""
    copied = {name: [getattr(each, name) for each in records] for name in COPIED}
    searched = [_searched(each) for each in records]
    return copied | {name: [row.get(name) for row in searched] for name in SEARCHED}


def _searched(record: Record) -> dict[str, Any]:
    """Of an end, what one would search by; nothing of what cannot be read."""
    if record.kind != RECORD_KIND_END or record.payload is None:
        return {}
    try:
        told = Manifest.FromString(record.payload)
    except DecodeError:
        return {}
    return {
        "ensemble": _text(told.ensemble),
        "caller": _text(told.caller),
        "state": ManifestState.Name(told.state).removeprefix("MANIFEST_STATE_"),
        "outcome": Outcome.Name(told.outcome).removeprefix("OUTCOME_") if told.outcome else None,
        "error": _text(told.error.reason) or None,
        "cost_usd": told.cost_usd,
    }


def _text(text: str) -> str:
    r"""A text that PostgreSQL takes: it knows no NUL.

    Examples
    --------
    >>> _text("a\0b")
    'a�b'
    """
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
