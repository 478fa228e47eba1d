"""`gremium router`: train routers, measure them, and put one in use or take it back."""

from typing import Final

import click

from services.cli.router_compare import compare
from services.cli.router_eval import evaluate
from services.cli.router_shelf import list_, rollback, use
from services.cli.router_train import train

HELP: Final = """\
Train the router, measure it, put it in use.

\b
From labelled outcomes to routes by what was learned, and back:
  gremium router train --from outcomes.jsonl
  gremium router eval --from outcomes.jsonl --png curve.png
  gremium router use ID
  gremium router rollback

Trained routers stand on a shelf, the folder `router.shelf`. A mesh that serves changes over
without a restart; requests underway end by the router that they began with.
"""


@click.group(help=HELP)
def router() -> None:
    """Every command is in a file of its own."""


for command in (train, evaluate, compare, use, rollback, list_):
    router.add_command(command)
