"""What a report says of tiers and domains, in words and tables. No I/O."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table

from services.cli.show import plain_table
from services.report.baselines import Choice
from services.report.domains import DomainFigures
from services.report.figures import Figure
from services.report.routing import Routing
from services.report.wording import (
    cell,
    counts,
    number,
    percent,
    points,
    rule_name,
    sum_cell,
    usd,
)

Told = str | Table

MOST_DOMAINS: Final = 12
"""Domains that are shown, the most frequent first."""


def tiers(routing: Routing, *, spent_usd: float) -> Iterator[Told]:
    """Where requests went, and whether that was too dear, too cheap, or better than chance."""
    yield f"  tiers: ended in {counts(routing.tiers)}"
    yield f"    too dear         {percent(routing.over)} of what dearer tiers answered"
    saved = f"{usd(routing.saved_usd)}{_share_of(routing.saved_usd, spent_usd)}"
    yield f"    would save       {saved}; {_shadowed(routing)}"
    for pair in routing.pairs:
        yield (
            f"      {pair.cheaper} for {pair.used}: as good in {percent(pair.enough)}, saves"
            f" {usd(pair.saved_usd)}"
        )
    yield f"    too cheap        {percent(routing.under)}; spent in vain {usd(routing.in_vain_usd)}"
    for step in routing.steps:
        yield f"      {step.tier} to {step.next_tier}: {percent(step.moved)}{_of(step.moved)}"
    if routing.steps:
        yield f"    escalations      {_changed(routing.changed)}"
    yield f"    regret           {usd(routing.regret_usd)} a request beyond the cheapest that is enough"
    for choice in routing.choices:
        yield from _choice(choice)


def _shadowed(routing: Routing) -> str:
    if not routing.compared:
        return "no request was shadowed"
    return f"compared by {counts(routing.compared)} for ${routing.shadow_usd:.4f}"


def _share_of(some: Figure, spent_usd: float) -> str:
    if some.value is None or spent_usd <= 0.0:
        return ""
    return f", {some.value / spent_usd:.0%} of what was spent"


def _of(figure: Figure) -> str:
    return "" if figure.insufficient else f" of {figure.n}"


def _changed(figure: Figure) -> str:
    if figure.insufficient:
        return f"whether they changed the answer is {percent(figure)}"
    return f"changed the answer in {percent(figure)}"


def _choice(choice: Choice) -> Iterator[Told]:
    """The router beside plain rules; where too little is known, how much is missing."""
    if choice.over_chance.insufficient:
        yield (
            f"    beside chance    {points(choice.over_chance)}: of requests that began at each of"
            f" {choice.cheaper} and {choice.dearer}, shadowed and with truth"
        )
    else:
        yield (
            f"    beside chance    the router has {points(choice.over_chance)} points more right at the"
            " same price"
        )
        if not choice.over_length.insufficient:
            yield (
                f"    beside length    {points(choice.over_length)}, if the longest prompts went to"
                f" {choice.dearer}"
            )
        yield (
            f"                     {choice.n} requests; of {choice.supposed:.0%} it is supposed how often"
            f" {choice.dearer} would be right"
        )
        yield _rules(choice)
    if choice.order.n:
        length = f", by length {number(choice.order_by_length)}" if choice.order_by_length.n else ""
        yield (
            f"    prediction       tells where {choice.cheaper} is right: area {number(choice.order)}"
            f"{length}; 0.5 is chance"
        )


def _rules(choice: Choice) -> Table:
    table = plain_table("choice of the tier", "right %", "USD a request")
    for each in choice.rules:
        table.add_row(rule_name(each.name, choice), cell(each.right, 100), usd(each.usd))
    return table


def domains(found: Sequence[DomainFigures]) -> Table:
    """The same figures by what prompts are about; columns that nothing is known of are left out."""
    columns = {
        "good %": [cell(each.good, 100) for each in found],
        "divided %": [cell(each.divided, 100) if each.divided.n else "" for each in found],
        "divergence": [cell(each.divergence) if each.divergence.n else "" for each in found],
        "too dear %": [cell(each.over, 100) if each.over.n else "" for each in found],
        "too cheap %": [cell(each.under, 100) if each.is_tiered else "" for each in found],
        "USD": [sum_cell(each.usd_each) for each in found],
    }
    shown = {name: cells for name, cells in columns.items() if any(cells)}
    table = plain_table("domain", "requests", *shown)
    for i, each in enumerate(found[:MOST_DOMAINS]):
        row = (cells[i] for cells in shown.values())
        table.add_row(each.name or "unknown", str(each.n), *row)
    if len(found) > MOST_DOMAINS:
        table.add_row(f"{len(found) - MOST_DOMAINS} more in --json", *[""] * (1 + len(shown)))
    return table
