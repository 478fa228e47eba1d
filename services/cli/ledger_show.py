"""`gremium ledger show-chain`: the last records and how they hang together."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from services.cli.ledger_place import ledger_argument, place_of
from services.cli.options import config_option, json_option
from services.cli.show import plain_table, screen
from services.ledger.chain import Record, chain_id_of, head, records
from services.ledger.columns import kind_name
from services.ledger.reading import reading
from services.ledger.signing import key_id_of


@click.command("show-chain", short_help="List the last records.")
@ledger_argument
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Most to show."
)
@config_option
@json_option('Print {"chain_id": ID, "records": [...]}.')
def show_chain(*, ledger: Path | None, limit: int, config: Path | None, as_json: bool) -> int:
    """List the last records: each one's hash covers the hash of the one before it."""
    with reading(place_of(ledger, config).path) as connection:
        last, chain_id = head(connection), chain_id_of(connection)
        found = list(records(connection, after=max(0, last.seq - limit))) if last else []
    if as_json:
        told = {"chain_id": chain_id, "records": [_told(each) for each in found]}
        click.echo(json.dumps(told, indent=2))
    else:
        screen().print(_table(chain_id, found))
    return 0


def _told(record: Record) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "kind": kind_name(record.kind),
        "request_id": record.request_id,
        "time": _time(record),
        "bytes": len(record.payload or b""),
        "previous": record.previous.hex(),
        "hash": record.hash.hex(),
        "key_id": key_id_of(record.signature),
    }


def _table(chain_id: str, found: Iterable[Record]) -> Table:
    table = plain_table(
        "seq",
        "kind",
        "request",
        "recorded",
        "bytes",
        "previous",
        "hash",
        "signed by",
        title=f"chain {chain_id}",
    )
    for each in found:
        told = _told(each)
        table.add_row(
            str(told["seq"]),
            told["kind"],
            told["request_id"],
            told["time"][:19],
            str(told["bytes"]),
            told["previous"][:12],
            told["hash"][:12],
            told["key_id"] or "nobody",
        )
    return table


def _time(record: Record) -> str:
    return datetime.fromtimestamp(record.time_ns / 1e9, UTC).isoformat()
