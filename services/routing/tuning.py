"""Chooses what the kernel goes by, on training rows alone. Needs scipy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from services.routing.dedupe import grouped_folds
from services.routing.domains import domain_places
from services.routing.features import Floats, Words
from services.routing.kernel_fit import (
    Ground,
    Terms,
    fit_domains,
    fit_kernel,
    ground_of,
    likeness_to,
)
from services.routing.known import known_of, scaling_of
from services.routing.looked import kernel_values, logit, rescaled
from services.routing.rows import Rows

PARTS: Final = 5
"""One of them judges what the others taught."""
MIN_ROWS: Final = 250
"""With fewer, chance would choose."""
MAX_ROWS: Final = 2_500
"""More are not needed to choose."""
GRID: Final[tuple[tuple[str, tuple[float, ...]], ...]] = (
    ("sharpness", (5.0, 10.0, 40.0)),
    ("ridge", (6.0, 24.0)),
    ("words", (0.25, 1.0)),
    ("domains", (0.1, 0.4)),
    ("width", (0.5, 2.0)),
    ("features", (0.1, 0.3)),
    ("ridge", (8.0, 16.0)),
)
"""Tried one after the other; the better one stays."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Rows that teach and rows that judge, laid out for the fit."""

    ground: Ground
    labels: Floats
    places: Floats
    """Of the rows that teach in the domains."""
    near: Floats
    """Likeness of those that judge to the known ones."""
    words: Sequence[Words]
    told: Floats
    """Places of those that judge, by no more than their prompts."""
    truth: Floats

    def losses(self, terms: Terms) -> Floats:
        """Log-losses of the kernel head on the labels of the rows that judge, shape (labels,)."""
        kernel = fit_kernel(self.ground, self.places, self.labels, terms)
        said = logit(kernel_values(kernel, self.near, self.words, self.told))
        found: Floats = (np.logaddexp(0.0, said) - self.truth * said)[~np.isnan(self.truth)]
        return found


def tuned(rows: Rows, *, seed: int) -> Terms:
    """The terms that tell most of a fifth of the rows, which they were not fitted on.

    Each term by itself, one after the other, by log-loss, and only where that is
    better by more than chance; rows of the same text are on one side.
    """
    best = Terms()
    if len(rows) < MIN_ROWS:
        return best
    some = rows.only(np.sort(np.random.default_rng(seed).permutation(len(rows))[:MAX_ROWS]))
    judging = grouped_folds(some.keys, parts=PARTS, seed=seed) == 0
    taught, judged = some.only(~judging), some.only(judging)

    @cache
    def trial(terms: Terms) -> Trial:
        return _trial(taught, judged, terms, seed)

    def losses(terms: Terms) -> Floats:
        return trial(replace(terms, ridge=0.0, domains=0.0)).losses(terms)

    least = losses(best)
    for name, values in GRID:
        for other in [replace(best, **{name: value}) for value in values]:
            found = losses(other)
            if is_better(found, least):
                best, least = other, found
    return best


def is_better(one: Floats, other: Floats) -> bool:
    """Whether losses on the same labels are smaller by more than their difference's deviation.

    Examples
    --------
    >>> is_better(np.array([0.1, 0.2, 0.1]), np.array([0.3, 0.3, 0.3]))
    True
    >>> is_better(np.array([0.1, 0.9]), np.array([0.3, 0.8]))
    False
    """
    gain = other - one
    if gain.size < 2:
        return False
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(gain.size))


def _trial(taught: Rows, judging: Rows, terms: Terms, seed: int) -> Trial:
    """By what the terms say of likeness; their penalty and the domains' weight come later."""
    scaling = scaling_of(taught.features)
    away, theirs = rescaled(scaling, taught.features), rescaled(scaling, judging.features)
    known = known_of(taught, away, seed=seed)
    ground = ground_of(taught, away, known, terms)
    domains = fit_domains(ground, taught, np.zeros(len(taught.models)), terms)
    near = likeness_to(known, judging.vectors, theirs, terms)
    untold = ("",) * len(judging)
    return Trial(
        ground=ground,
        labels=taught.labels,
        places=domain_places(domains, ground.near, taught.words, ground.rarity, taught.domains),
        near=near,
        words=judging.words,
        told=domain_places(domains, near, judging.words, ground.rarity, untold),
        truth=judging.labels,
    )
