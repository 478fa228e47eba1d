"""Who is asked in which wave. Costs in, indices out: no clock, no I/O."""

from collections.abc import Sequence


def waves(costs_usd: Sequence[float], sizes: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Cut jurors into waves, the cheapest first.

    Parameters
    ----------
    costs_usd : sequence of float, length n
        What asking each juror costs at most, US dollars. Of equal ones the
        first goes first.
    sizes : sequence of int
        Size of each wave, >= 1. Without any, all are one wave.

    Returns
    -------
    tuple of tuple of int
        Indices of jurors by wave, no wave empty; whoever is left over is the
        last wave.

    Examples
    --------
    >>> waves([3.0, 1.0, 2.0, 1.0], [2, 1])
    ((1, 3), (2,), (0,))
    >>> waves([3.0, 1.0], [])
    ((0, 1),)
    """
    cheapest_first = sorted(range(len(costs_usd)), key=lambda i: costs_usd[i]) if sizes else None
    left = list(cheapest_first or range(len(costs_usd)))
    cut = []
    for size in (*sizes, len(left)):
        cut.append(tuple(left[:size]))
        left = left[size:]
    return tuple(wave for wave in cut if wave)
