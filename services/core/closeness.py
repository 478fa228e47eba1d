"""Numbers that count as the same: within a tolerance of each other."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from services.core.canonical import Ballot, number_of


def alike(votes: Sequence[Ballot], *, relative_tolerance: float) -> list[Ballot]:
    """Ballots of numbers within the tolerance get the key of the least of them; others stay."""
    numbered = [
        (i, number) for i, vote in enumerate(votes) if (number := number_of(vote)) is not None
    ]
    group = close_groups([number for _, number in numbered], relative_tolerance=relative_tolerance)
    same = {i: votes[numbered[first][0]] for (i, _), first in zip(numbered, group, strict=True)}
    return [
        replace(vote, key=same[i].key, value=same[i].value) if i in same else vote
        for i, vote in enumerate(votes)
    ]


def nearest_of(votes: Sequence[Ballot], meant: Ballot, *, relative_tolerance: float) -> int | None:
    """Index of the ballot whose number is nearest to what is meant; None: none is within tolerance.

    Examples
    --------
    >>> votes = [Ballot("a", "41"), Ballot("b", "42.00001"), Ballot("c", "41.99999999")]
    >>> nearest_of(votes, Ballot("d", "42"), relative_tolerance=1e-6)
    2
    """
    target = number_of(meant)
    if target is None:
        return None
    gaps = {
        i: abs(Fraction(number) - Fraction(target))
        for i, vote in enumerate(votes)
        if (number := number_of(vote)) is not None
        and len(set(close_groups([number, target], relative_tolerance=relative_tolerance))) == 1
    }
    return min(gaps, key=lambda i: (gaps[i], i), default=None)


def close_groups(numbers: Sequence[int | float], *, relative_tolerance: float) -> list[int]:
    """Group numbers so that any two of a group are within the tolerance.

    Parameters
    ----------
    numbers : sequence of int or float, length n
        Finite numbers. Integers are compared exactly, however long.
    relative_tolerance : float
        Share of the larger of two numbers that they may differ by, in [0, 1).

    Returns
    -------
    list of int, length n
        For each number, the index of the group's first one from below.

    Notes
    -----
    Being close is not transitive, so that groups are cut greedily from below;
    the order of the numbers does not matter. O(n log n).

    Examples
    --------
    >>> close_groups([3.0, 100, 100.00001, 3], relative_tolerance=1e-6)
    [0, 1, 1, 0]
    """
    exact = [Fraction(number) for number in numbers]
    share, first = Fraction(relative_tolerance), -1
    group = [0] * len(numbers)
    for i in sorted(range(len(numbers)), key=lambda i: exact[i]):
        if first < 0 or exact[i] - exact[first] > share * max(abs(exact[i]), abs(exact[first])):
            first = i
        group[i] = first
    return group
