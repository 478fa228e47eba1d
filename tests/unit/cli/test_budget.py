"""People read what is left of a budget."""

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from gremium.v1.ensemble_pb2 import BudgetRecord
from services.cli.budget import budget_list
from services.runtime.wire import timestamp_to_wire

ENDS = timestamp_to_wire(datetime(2026, 6, 1, tzinfo=UTC))


def lines(*budgets):
    screen = Console(file=StringIO(), width=120)
    screen.print(budget_list(budgets))
    told = [" ".join(line.split()) for line in screen.file.getvalue().splitlines()]
    return [line for line in told if line.strip("─ ")]


def test_each_budget_is_a_line():
    team = BudgetRecord(
        name="team", per="month", max_usd=50, spent_usd=12.5, reserved_usd=0.25, end_time=ENDS
    )
    mine = BudgetRecord(name="each", caller="me", per="day", max_usd=1, spent_usd=2, end_time=ENDS)

    assert [
        "budget caller limit spent held left ends",
        "team all $50 a month $12.5000 $0.2500 $37.2500 2026-06-01 00:00 UTC",
        "each me $1 a day $2.0000 $0.0000 $0.0000 2026-06-01 00:00 UTC",
    ] == lines(team, mine)
