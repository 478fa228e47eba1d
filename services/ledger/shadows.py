"""Reads what asking cheaper tiers, too, has cost."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Final

from gremium.v1.ledger_pb2 import RECORD_KIND_SHADOW
from gremium.v1.shadow_pb2 import SHADOW_VERDICT_UNSPECIFIED, ShadowRecord
from services.ledger.queries import Charge
from services.ledger.reading import reading

ROWS: Final = "SELECT time_ns, CASE WHEN kind = ? THEN payload END FROM records ORDER BY seq DESC"
"""Latest first: a ledger may be years long, and of interest is its last day."""


def charges(path: Path, since: datetime) -> list[Charge]:
    """What each counts for that was recorded at `since` or later.

    One whose end was never recorded counts for all that it had reserved.

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    since_ns = int(since.timestamp()) * 10**9
    with reading(path) as connection:
        rows = connection.execute(ROWS, (RECORD_KIND_SHADOW,))
        recent = takewhile(lambda row: row[0] >= since_ns, rows)
        told = _once(ShadowRecord.FromString(blob) for _, blob in recent if blob is not None)
        return [
            Charge(each.ensemble, "", each.start_time.ToDatetime(UTC), _charged_usd(each))
            for each in told
        ]


def _once(records: Iterable[ShadowRecord]) -> Iterator[ShadowRecord]:
    """Of what begins and ends the record that comes first, which was made last."""
    seen: set[tuple[str, str, int]] = set()
    for each in records:
        key = (each.request_id, each.tier_shadow, each.start_time.ToNanoseconds())
        if key not in seen:
            seen.add(key)
            yield each


def _charged_usd(record: ShadowRecord) -> float:
    if record.verdict == SHADOW_VERDICT_UNSPECIFIED:
        return record.reserved_usd
    return record.shadow_cost_usd + record.comparison_cost_usd
