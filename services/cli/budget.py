"""`gremium budget`: what is left of the budgets that requests share."""

from collections.abc import Iterable
from pathlib import Path

import click
from rich.table import Table

from gremium.v1.ensemble_pb2 import BudgetRecord, ListEnsemblesRequest, ListEnsemblesResponse
from services.cli.client import connected
from services.cli.errors import INTERRUPTED
from services.cli.options import address_option, json_option, timeout_option
from services.cli.show import plain_table, print_json, screen
from services.cli.stopping import run_until_stopped
from services.core.deadline import Deadline
from services.runtime.calls import call


@click.command()
@timeout_option(10.0)
@address_option
@json_option("Print them as JSON.")
def budget(timeout_s: float, address: str | None, as_json: bool) -> int:
    """Show what is left of the budgets that requests share."""
    found = run_until_stopped(_list(address, timeout_s))
    if found is None:
        return INTERRUPTED
    if as_json:
        print_json(ListEnsemblesResponse(budgets=found.budgets))
    elif not found.budgets:
        click.echo("requests share no budget; `budgets` in gremium.yaml sets one")
    else:
        screen().print(budget_list(found.budgets))
    return 0


def budget_list(budgets: Iterable[BudgetRecord]) -> Table:
    """One line for each budget, or for each caller of one that is not shared by them."""
    table = plain_table("budget", "caller", "limit", "spent", "held", "left", "ends")
    for each in budgets:
        left_usd = max(0.0, each.max_usd - each.spent_usd - each.reserved_usd)
        table.add_row(
            each.name,
            each.caller or "all",
            f"${each.max_usd:g} a {each.per}",
            f"${each.spent_usd:.4f}",
            f"${each.reserved_usd:.4f}",
            f"${left_usd:.4f}",
            each.end_time.ToDatetime().strftime("%Y-%m-%d %H:%M UTC"),
        )
    return table


async def _list(address: str | None, timeout_s: float) -> ListEnsemblesResponse:
    async with connected(address, directory=Path.cwd()) as stub:
        return await call(
            stub.ListEnsembles, ListEnsemblesRequest(), deadline=Deadline.after(timeout_s)
        )
