"""Figures as people read them: the number, and its interval in brackets. Pure."""

import math
from collections.abc import Mapping
from typing import Final

from services.report.baselines import Choice
from services.report.figures import Figure
from services.report.rules import RuleName

DIME: Final = 0.1


def percent(figure: Figure) -> str:
    """A share with its interval, for a sentence.

    Examples
    --------
    >>> percent(Figure(200, 30, 0.25, 0.2, 0.3)), percent(Figure(3, 30))
    ('25.0% (20.0 to 30.0)', 'unknown (3 of 30)')
    """
    if figure.value is None or figure.low is None or figure.high is None:
        return unknown(figure)
    return f"{figure.value:.1%} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def points(figure: Figure) -> str:
    """A difference of shares, in points."""
    if figure.value is None or figure.low is None or figure.high is None:
        return unknown(figure)
    low, high = 100 * figure.low, 100 * figure.high
    return f"{100 * figure.value:+.1f} ({low:+.1f} to {high:+.1f})"


def number(figure: Figure) -> str:
    """Any other number."""
    if figure.value is None or figure.low is None or figure.high is None:
        return unknown(figure)
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def usd(figure: Figure) -> str:
    """US dollars.

    Examples
    --------
    >>> usd(Figure(200, 30, 1.25, 1.0, 1.5)), usd(Figure(200, 30, 0.00123, 0.001, 0.002))
    ('$1.25 (1.00 to 1.50)', '$0.00123 (0.00100 to 0.00200)')
    >>> usd(Figure(200, 30, 0.0000123, 0.00001, 0.00002))
    '$0.0000123 (0.0000100 to 0.0000200)'
    """
    if figure.value is None or figure.low is None or figure.high is None:
        return unknown(figure)
    digits = _digits(figure.value)
    return f"${figure.value:.{digits}f} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"


def _digits(value: float) -> int:
    """Digits behind the point that show a sum's first three; cents from a dime on."""
    if abs(value) >= DIME or value == 0.0:
        return 2
    return 2 - math.floor(math.log10(abs(value)) + 1e-9)


def unknown(figure: Figure) -> str:
    """What stands in place of a number that too little stands behind."""
    return f"unknown ({figure.n} of {figure.needed})" if figure.n < figure.needed else "undefined"


def cell(figure: Figure, times: float = 1.0) -> str:
    r"""A figure for a table.

    Examples
    --------
    >>> cell(Figure(200, 30, 0.912, 0.86, 0.94), 100), cell(Figure(7, 30))
    ('91.2\xa0(86.0…94.0)', '?\xa0(7/30)')
    """
    if figure.value is None or figure.low is None or figure.high is None:
        return (
            f"?\N{NO-BREAK SPACE}({figure.n}/{figure.needed})" if figure.n < figure.needed else "-"
        )
    value, low, high = (each * times for each in (figure.value, figure.low, figure.high))
    digits = 1 if times > 1.0 else 2
    return f"{value:.{digits}f}\N{NO-BREAK SPACE}({low:.{digits}f}…{high:.{digits}f})"


def sum_cell(figure: Figure) -> str:
    r"""US dollars for a table, without their interval.

    Examples
    --------
    >>> sum_cell(Figure(200, 30, 0.00123, 0.001, 0.002)), sum_cell(Figure(7, 30))
    ('0.00123', '?\xa0(7/30)')
    """
    return cell(figure) if figure.value is None else f"{figure.value:.{_digits(figure.value)}f}"


def counts(numbers: Mapping[str, int]) -> str:
    """Names with their numbers.

    Examples
    --------
    >>> counts({"ANSWERED": 3, "": 1})
    'ANSWERED 3, none 1'
    """
    return ", ".join(f"{name or 'none'} {many}" for name, many in numbers.items())


def rule_name(rule: RuleName, choice: Choice) -> str:
    """What a way to choose the tier is called."""
    names: dict[RuleName, str] = {
        "router": "as it was routed",
        "chance": f"drawn, as many to {choice.dearer} as cost the same",
        "length": f"longest to {choice.dearer}, as many as cost the same",
        "cheaper": f"all to {choice.cheaper}",
        "dearer": f"all to {choice.dearer}",
        "hindsight": f"to {choice.dearer} only where it alone is right",
    }
    return names[rule]
