"""Figures as people read them: the number, and its interval in brackets. Pure."""

from services.report.figures import Figure


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
    """
    if figure.value is None or figure.low is None or figure.high is None:
        return unknown(figure)
    digits = 2 if abs(figure.value) >= 0.1 else 5
    return f"${figure.value:.{digits}f} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"


def unknown(figure: Figure) -> str:
    """What stands in place of a number that too little stands behind."""
    return f"unknown ({figure.n} of {figure.needed})" if figure.n < figure.needed else "undefined"
