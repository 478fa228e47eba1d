"""Fits what goes by likeness: the kernel head and the domains of prompts. Needs scipy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from services.routing.artefact import Domains, Kernel, Known
from services.routing.features import Floats
from services.routing.heads import group_means, rarity_of, worded
from services.routing.kernels import likeness, unit_rows
from services.routing.looked import KAPPA
from services.routing.ridge import Design, Singles, regressed
from services.routing.rows import Rows

OF_DOMAINS: Final = 1.0
"""Penalty of the regression on the domains."""
ENOUGH: Final = 0.1
"""Tolerance of it: which class is the likeliest is settled long before."""
JITTER: Final = 1e-4
"""Keeps the known prompts apart that are all but the same."""
MAX_DOMAINS: Final = 128
"""More are not told apart; the most frequent stay."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the kernel goes by."""

    ridge: float = 12.0
    """Penalty: the variance of a label over that of the truth."""
    width: float = 1.0
    """Of the Gaussian part."""
    features: float = 0.2
    """What a scaled feature weighs in the Gaussian part."""
    words: float = 0.5
    """What words in common weigh; 0: nothing."""
    domains: float = 0.2
    """What the same domain weighs; 0: nothing."""
    sharpness: float = 20.0
    """How sure a guess of the domain is."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Training rows in the kernel's space, before any label counts."""

    near: Floats
    """Shape (n, known): likeness."""
    features: Singles
    """Shape (n, known): the same as features whose products are the kernel."""
    turn: Floats
    """Shape (known, known): weights of those features to weights of the likeness."""
    words: Any
    """Sparse, shape (n, BUCKETS), unit rows or zeros."""
    rarity: Floats


def ground_of(rows: Rows, away: Floats, known: Known, terms: Terms) -> Ground:
    """Lay out rows for the fits.

    Parameters
    ----------
    away : ndarray of float64, shape (n, k)
        Scaled features.

    Notes
    -----
    The Gaussian part by Nystrom's method [1]_, the words as they are. O(n known^2).

    References
    ----------
    .. [1] C. Williams, M. Seeger. Using the Nystrom Method to Speed Up Kernel
       Machines. NIPS 2000.
    """
    from scipy.linalg import solve_triangular  # noqa: PLC0415 - training only

    near = likeness_to(known, rows.vectors, away, terms)
    among = likeness_to(known, unit_rows(known.vectors), known.features.astype(np.float64), terms)
    among[np.diag_indices_from(among)] += JITTER
    low = np.linalg.cholesky(among)
    turn = solve_triangular(low, np.eye(len(low)), lower=True).T
    rarity = rarity_of(rows.words) if terms.words else np.zeros(0)
    words = worded(rows.words, rarity).astype(np.float32)
    return Ground(near, (near @ turn).astype(np.float32), turn, words, rarity)


def likeness_to(known: Known, vectors: Singles, away: Floats, terms: Terms) -> Floats:
    """Gaussian part of the kernel of prompts and the known ones, shape (n, known)."""
    cosines = (vectors @ unit_rows(known.vectors).T).astype(np.float64)
    width, of_features = terms.width, terms.features
    return likeness(cosines, away, known.features, width=width, of_features=of_features)


def fit_domains(ground: Ground, rows: Rows, prior: Floats, terms: Terms) -> Domains:
    """Learn the domains that rows name, from those that name one."""
    names = frequent(rows.domains)
    named = np.array([domain in names for domain in rows.domains], dtype=bool)
    group = np.array([names.index(d) for d in rows.domains if d in names], dtype=np.intp)
    untold = np.zeros((len(rows), 0))
    design = _design(ground, untold, terms).only(named)
    found = regressed(design, np.eye(len(names))[group], OF_DOMAINS, tolerance=ENOUGH)
    values, _ = group_means(group, len(names), rows.labels[named], prior, KAPPA)
    of_words, step = _coarse(terms.words**0.5 * found.words.T)
    return Domains(
        names=names,
        sharpness=terms.sharpness,
        bias=found.bias.astype(np.float32),
        weights=(ground.turn @ found.near).astype(np.float32),
        of_words=of_words,
        word_step=step,
        values=values.astype(np.float32),
    )


def frequent(told: Sequence[str]) -> tuple[str, ...]:
    """Domains that are named, without repetition, ascending."""
    counts = {name: told.count(name) for name in set(told) - {""}}
    return tuple(sorted(sorted(counts, key=lambda name: (-counts[name], name))[:MAX_DOMAINS]))


def _coarse(table: Floats) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A table in steps of its rows, as int8, and the steps."""
    step = np.maximum(np.abs(table).max(axis=1, initial=0.0), 1e-9) / 127.0
    return np.rint(table / step[:, np.newaxis]).astype(np.int8), step.astype(np.float32)


def fit_kernel(ground: Ground, places: Floats, labels: Floats, terms: Terms) -> Kernel:
    """Learn qualities by likeness, words in common and domains.

    Parameters
    ----------
    places : ndarray of float64, shape (n, f)
        By `domain_places`.
    labels : ndarray of float64, shape (n, m)
        NaN: not known.
    """
    found = regressed(_design(ground, places, terms), labels, terms.ridge)
    return Kernel(
        width=terms.width,
        of_features=terms.features,
        bias=found.bias.astype(np.float32),
        weights=(ground.turn @ found.near).astype(np.float32),
        of_words=(terms.words**0.5 * found.words.T).astype(np.float32),
        of_domains=(terms.domains**0.5 * found.places.T).astype(np.float32),
        rarity=ground.rarity.astype(np.float32),
    )


def _design(ground: Ground, places: Floats, terms: Terms) -> Design:
    return Design(
        ground.features,
        np.float32(terms.words**0.5) * ground.words,
        (terms.domains**0.5 * places).astype(np.float32),
    )
