"""`gremium ledger`: prove, keep, thin out and hand on what was recorded."""

from typing import Final

import click

from services.cli.ledger_checkpoint import checkpoint
from services.cli.ledger_export import export
from services.cli.ledger_key import key
from services.cli.ledger_prune import prune
from services.cli.ledger_show import show_chain
from services.cli.ledger_status import status
from services.cli.ledger_verify import verify

HELP: Final = """\
Prove what was recorded, export it, remove what is too old.

\b
See how much is recorded, and how far its copy in PostgreSQL is:
  gremium ledger status

\b
Sign records, keep checkpoints elsewhere, prove that nothing was changed or removed:
  gremium ledger key
  gremium ledger checkpoint --to /mnt/elsewhere/gremium.checkpoints
  gremium ledger verify --checkpoints /mnt/elsewhere/gremium.checkpoints

\b
Hand records on to other programs:
  gremium ledger export --format parquet --to requests.parquet

All but `prune` run beside a gateway that serves. One that has `ledger.keep_for_days` prunes by itself.
"""


@click.group(help=HELP)
def ledger() -> None:
    """Every command is in a file of its own."""


for command in (key, status, verify, checkpoint, show_chain, export, prune):
    ledger.add_command(command)
