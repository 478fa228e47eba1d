"""`gremium ledger status`: how much is recorded, and how far the copy is."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from services.cli.ledger_place import ledger_argument, place_of
from services.cli.options import config_option, json_option
from services.cli.words import counted
from services.config.postgres import Postgres
from services.config.tree import Ledger
from services.ledger.status import LedgerStatus, status_of


@click.command(short_help="Show how much is recorded.")
@ledger_argument
@config_option
@json_option(
    'Print {"ledger": FILE, "chain_id", "count", "head", "mode", "mirror", "tombstone", …}.'
)
def status(*, ledger: Path | None, config: Path | None, as_json: bool) -> int:
    """Show what the ledger holds, how it records, and how far its copy in PostgreSQL is.

    Reads the file, beside a gateway that serves or without one. What the copy lacks is what the
    gateway knew of it last.
    """
    place = place_of(ledger, config)
    configured = place.loaded.config.ledger if place.loaded else None
    told = as_told(place.path, status_of(place.path), configured)
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        for line in lines(told):
            click.echo(line)
    return 0


def as_told(path: Path, found: LedgerStatus, configured: Ledger | None) -> dict[str, Any]:
    """A status as JSON; what only a configuration tells is null without one."""
    head = found.head
    return {
        "ledger": str(path),
        "chain_id": found.chain_id,
        "count": found.count,
        "head": None
        if head is None
        else {"seq": head.seq, "hash": head.hash.hex(), "time": _time(head.time_ns)},
        "open_requests": found.open,
        "mode": configured and configured.mode,
        "texts": configured and configured.texts,
        "signed": bool(head and head.signature),
        "mirror": _mirror(found, configured.postgres if configured else None),
        "tombstone": None
        if found.tombstone is None
        else {
            "count": found.tombstone.count,
            "last_seq": found.tombstone.last_sequence,
            "why": found.tombstone.reason_text,
        },
        "bytes": {"file": found.file_bytes, "wal": found.wal_bytes},
    }


def _mirror(found: LedgerStatus, wanted: Postgres | None) -> dict[str, Any] | None:
    """How far the copy is; null where none is wanted and none was ever made."""
    mark = found.mark
    if wanted is None and not mark.time_ns and not mark.error:
        return None
    return {
        "configured": wanted is not None,
        "seq": mark.seq,
        "time": _time(mark.time_ns),
        "lag_records": found.lag.records,
        "lag_s": round(found.lag.oldest_s, 3),
        "error": mark.error,
        "error_since": _time(mark.since_ns),
    }


def lines(told: dict[str, Any]) -> list[str]:
    """The same in words."""
    head, size = told["head"], told["bytes"]
    last = f"the last of {head['time']}, {head['hash'][:16]}" if head else "nothing yet"
    shown = [
        f"ledger     {told['ledger']}: {size['file']:,} bytes, {size['wal']:,} in its log",
        f"chain      {told['chain_id']}",
        f"records    {told['count']:,}; {last}; {'signed' if told['signed'] else 'not signed'}",
        f"open       {counted(told['open_requests'], 'request')} without an end",
    ]
    if told["mode"]:
        shown.append(f"mode       {told['mode']}; texts: {told['texts']}")
    if stone := told["tombstone"]:
        shown.append(
            f"removed    {counted(stone['count'], 'record')} up to {stone['last_seq']:,}: {stone['why']}"
        )
    return [*shown, *_mirror_lines(told["mirror"])]


def _mirror_lines(mirror: dict[str, Any] | None) -> list[str]:
    if mirror is None:
        return ["PostgreSQL no copy; `ledger.postgres` in gremium.yaml makes one"]
    behind = f"lacks {mirror['lag_records']:,}, the oldest for {mirror['lag_s']:.0f} s"
    there = behind if mirror["lag_records"] else "lacks nothing"
    asked = "" if mirror["configured"] else "; not configured any more"
    shown = [f"PostgreSQL has records up to {mirror['seq']:,}, {there}{asked}"]
    if mirror["error"]:
        shown.append(f"           fails since {mirror['error_since']}: {mirror['error']}")
    return shown


def _time(time_ns: int) -> str | None:
    """ISO 8601 in UTC; null for never."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat() if time_ns else None
