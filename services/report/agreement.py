"""How far jurors agree beyond chance: Cohen's kappa of two, Krippendorff's alpha of all. Pure."""

from typing import Final

import numpy as np

from services.report.figures import FEWEST, Figure, Floats, Ints, estimate, wilson

NONE: Final = -1
"""Stands for a ballot that was not cast."""


def disagreement(first: Ints, second: Ints) -> tuple[int, int]:
    """On how many prompts two jurors differ, and on how many both gave a ballot."""
    both = (first != NONE) & (second != NONE)
    return int((first != second)[both].sum()), int(both.sum())


def cohen_kappa(first: Ints, second: Ints, *, needed: int = FEWEST) -> Figure:
    """Agreement of two beyond what their habits alone would give.

    Parameters
    ----------
    first, second : ndarray of intp, shape (n,)
        Class of each one's ballot, the same numbers for the same class over all
        prompts; -1: none. Only prompts on which both gave one count.

    Notes
    -----
    The interval is Wilson's of the observed agreement, with the expected one held
    as it is, as in Cohen's own standard error [1]_; so it has a width, too, where
    two always agree. Undefined, and not told, where both always say one and the
    same. O(n).

    References
    ----------
    .. [1] J. Cohen. A coefficient of agreement for nominal scales. Educational
       and Psychological Measurement, 1960.

    Examples
    --------
    >>> yes_yes, yes_no, no_yes, no_no = 20, 5, 10, 15
    >>> first = np.repeat([1, 1, 0, 0], [yes_yes, yes_no, no_yes, no_no])
    >>> second = np.repeat([1, 0, 1, 0], [yes_yes, yes_no, no_yes, no_no])
    >>> round(cohen_kappa(first, second).value, 6)
    0.4
    """
    both = (first != NONE) & (second != NONE)
    n = int(both.sum())
    if n < max(needed, 1):
        return Figure(n, needed)
    one, other = first[both], second[both]
    many = int(max(one.max(), other.max())) + 1
    shares = np.bincount(one, minlength=many), np.bincount(other, minlength=many)
    expected = float(shares[0] @ shares[1]) / n**2
    if expected >= 1.0:
        return Figure(n, needed)
    agreed = int((one == other).sum())
    beyond = [(p - expected) / (1.0 - expected) for p in (agreed / n, *wilson(agreed, n))]
    return Figure(n, needed, *beyond)


def krippendorff_alpha(codes: Ints, *, needed: int = FEWEST) -> Figure:
    """Agreement of all jurors beyond chance, for nominal classes, with ballots missing.

    Parameters
    ----------
    codes : ndarray of intp, shape (n, jurors)
        Class of each ballot, the same numbers for the same class over all
        prompts; -1: none. Prompts with fewer than two ballots are left out.

    Returns
    -------
    Figure
        At most 1; `n` counts prompts. Not told where all ballots are one and the
        same class: nothing could have differed.

    Notes
    -----
    1 - observed over expected disagreement [1]_. The interval draws prompts anew
    and holds the expected disagreement as it is, as Krippendorff's own does.
    O(n jurors^2).

    References
    ----------
    .. [1] K. Krippendorff. Computing Krippendorff's Alpha-Reliability. 2011.
    """
    paired = codes[(codes != NONE).sum(axis=1) >= 2]
    n = len(paired)
    if n < max(needed, 1):
        return Figure(n, needed)
    cast = paired != NONE
    votes = cast.sum(axis=1).astype(np.float64)
    per_class = np.bincount(paired[cast]).astype(np.float64)
    total = float(votes.sum())
    expected = (total**2 - float(per_class @ per_class)) / (total - 1.0)
    if expected <= 0.0:
        return Figure(n, needed)
    share = expected / total
    rows = np.stack([_differing(paired, cast) / (votes - 1.0), votes], axis=1)
    return estimate(rows, lambda m: 1.0 - m[:, 0] / m[:, 1] / share, needed=needed)


def _differing(codes: Ints, cast: np.ndarray) -> Floats:
    """Ordered pairs of ballots on each prompt that differ."""
    differ = codes[:, :, np.newaxis] != codes[:, np.newaxis, :]
    both = cast[:, :, np.newaxis] & cast[:, np.newaxis, :]
    counts: Floats = (differ & both).sum(axis=(1, 2)).astype(np.float64)
    return counts
