"""A report as one page that needs nothing else: no script, no address, light and dark."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from services.report.advice import Advice
from services.report.figures import Figure
from services.report.summary import PairFigures, PoolFigures, Report
from services.report.wording import number, percent, points, rule_name, sum_cell, usd

WIDTH, HEIGHT, EDGE = 320.0, 110.0, 18.0
"""Of the curve's drawing, in its own units."""
ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(report: Report, advice: Sequence[Advice], *, diff: str) -> str:
    """The whole page as HTML."""
    return ENVIRONMENT.get_template("page.html.jinja").render(
        report=report, advice=advice, diff=diff.splitlines()
    )


def day(seconds: float) -> str:
    """A point in time, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def place(value: float | None, low: float = 0.0, high: float = 1.0) -> str:
    """Where a value stands on a scale, in percent of its length.

    Examples
    --------
    >>> place(0.25), place(0.5, -1.0, 1.0), place(7.0)
    ('25.0', '75.0', '100.0')
    """
    part = ((value or 0.0) - low) / (high - low)
    return f"{100.0 * min(max(part, 0.0), 1.0):.1f}"


def span(figure: Figure, low: float = 0.0, high: float = 1.0) -> str:
    """Length of an interval on a scale, in percent of it; never quite invisible."""
    ends = [float(place(end, low, high)) for end in (figure.low, figure.high)]
    return f"{max(ends[1] - ends[0], 0.8):.1f}"


def marked(text: str) -> Markup:
    """A text whose parts in backticks are code.

    Examples
    --------
    >>> str(marked("say `a < b` & more"))
    'say <code>a &lt; b</code> &amp; more'
    """
    parts = (escape(part) for part in text.split("`"))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts)
    )


def stacked(text: str) -> Markup:
    """A figure above its interval, for narrow columns.

    Examples
    --------
    >>> str(stacked("45.8% (42.3 to 49.2)")), str(stacked("undefined"))
    ('45.8%<br>(42.3 to 49.2)', 'undefined')
    """
    value, bracket, rest = text.partition(" (")
    return escape(value) + (Markup("<br>({})").format(rest[:-1]) if bracket else "")


def pair_of(pool: PoolFigures, first: str, second: str) -> PairFigures | None:
    """The figures of two jurors, in whichever order; None of one and itself."""
    wanted = {first, second}
    return next((pair for pair in pool.pairs if {pair.first, pair.second} == wanted), None)


def curve(values: Sequence[float]) -> list[tuple[str, str]]:
    """Points of a line through the values, left to right, as its drawing has them."""
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    step = (WIDTH - 2 * EDGE) / max(len(values) - 1, 1)
    return [
        (
            f"{EDGE + i * step:.1f}",
            f"{HEIGHT - EDGE - (value - low) / spread * (HEIGHT - 2 * EDGE):.1f}",
        )
        for i, value in enumerate(values)
    ]


ENVIRONMENT.filters.update(
    percent=percent,
    points=points,
    number=number,
    usd=usd,
    sum_cell=sum_cell,
    day=day,
    marked=marked,
    stacked=stacked,
)
ENVIRONMENT.globals.update(
    place=place, span=span, pair_of=pair_of, curve=curve, rule_name=rule_name
)
