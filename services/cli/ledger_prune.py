"""`gremium ledger prune`: remove what is older than it must be kept."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from services.cli.ages import AGE
from services.cli.ledger_place import configuration
from services.cli.options import config_option, json_option
from services.cli.words import counted
from services.config.tree import LoadedConfig
from services.core.errors import LedgerError
from services.gateway.retaining import kept
from services.ledger.compacting import compact
from services.ledger.configured import terms_of
from services.ledger.sqlite import open_ledger

DAY: Final = timedelta(days=1)


@click.command(short_help="Remove the oldest records.")
@click.option("--older-than", type=AGE, required=True, help="Remove what is older, such as 90d.")
@click.option(
    "--compact", "compacts", is_flag=True, help="Make the file smaller, too; needs as much again."
)
@config_option
@json_option('Print {"removed": N, "freed_bytes": N}.')
def prune(*, older_than: timedelta, compacts: bool, config: Path | None, as_json: bool) -> int:
    """Remove the oldest records; a signed tombstone in the chain says how many there were.

    Whatever is still needed stays, and all that came after it: requests that run, replies that can
    be asked for again (`ledger.replay_for_s`), what counts in a budget's present period, what is of
    today, and records that PostgreSQL does not have yet.

    A ledger has one owner, so this needs a gateway that is stopped. One that serves prunes by
    itself: `ledger.keep_for_days` in gremium.yaml.
    """
    if older_than < DAY:
        raise click.UsageError("--older-than is at least 1d")
    loaded = configuration(config)
    removed = asyncio.run(_pruned(loaded, older_than))
    freed_bytes = compact(loaded.resolve(loaded.config.ledger.path)) if compacts else 0
    if as_json:
        click.echo(json.dumps({"removed": removed, "freed_bytes": freed_bytes}))
    else:
        click.echo(
            f"{counted(removed, 'record')} removed{f', {freed_bytes} bytes freed' if compacts else ''}"
        )
    return 0


async def _pruned(loaded: LoadedConfig, older_than: timedelta) -> int:
    keep = kept(loaded.config, older_than, now=datetime.now(UTC))
    path = loaded.resolve(loaded.config.ledger.path)
    if not path.is_file():
        raise LedgerError(f"there is no ledger {path}")
    async with open_ledger(path, terms_of(loaded)) as ledger:
        return await ledger.prune(keep)
