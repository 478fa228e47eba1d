"""Finds the answer nearest to all others: vectors in, indices out. No I/O, no randomness."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aggregator_svc.voting import TIE, Floats
from services.core.equality import fold
from services.core.refusal import refuses
from services.core.words import negations, numerals

SAME_AT: Final = 0.80
"""Cosine similarity at which two answers say the same (MiniLM)."""
GUARDED_AT: Final = 0.5
"""Most similarity of two answers whose numbers, negations or refusals differ."""
MIN_SIMILARITY: Final = 0.35
"""Mean similarity that a medoid needs by default, where vectors are embeddings (MiniLM).

Measured on 400 sets of three right answers of six models of 2026 to a question of SimpleQA, and
on the same answers shuffled over the questions: agreeing sets have .43 to 1 (1st percentile to
maximum), unrelated ones -.01 to .34 (maximum). At .35 all of the former are kept, none of the
latter; on RefChecker's longer answers (279 sets of seven models, often at odds) 97 % and none.
"""
MIN_SIMILARITY_BY_WORDS: Final = 0.30
"""The same where vectors count words: agreeing sets have .39 to 1, unrelated ones .02 to .32.

At .30 all of the former are kept and 0.3 % of the latter; on RefChecker's 94 % and 1.4 %. Of six
hand-made sets of short paraphrases with few words in common, two are missed.
"""
CENTRALITY: Final = 0.5
"""How much a standard deviation of centrality counts beside the log-odds of the prior."""
OUTLIER_MADS: Final = 3 * 1.4826
MIN_OUTLIER_GAP: Final = 0.05
"""Answers nearer than this to the median are never outliers, however alike the rest is."""


@dataclass(frozen=True, slots=True)
class Medoid:
    """The answer that stands for all, and how well."""

    chosen: int
    similarity: float
    """Mean similarity to the others, in [-1, 1]; NaN when it cannot be compared."""
    divergence: float
    """Mean of one minus similarity over all pairs, in [0, 1]."""
    centroid_distance: float
    """One minus the chosen answer's cosine similarity to the weighted mean of all, in [0, 2]; NaN
    when there is no mean or the answer cannot be compared."""
    clusters: tuple[tuple[int, ...], ...]
    """Indices of answers that say the same, by their first."""
    scores: Floats
    """Shape (n,): what the choice went by; higher is better."""
    outliers: tuple[int, ...]
    """Answers far from all others: not chosen."""
    tie: bool
    tie_rule: str
    """`prior`, `key` or empty."""


def medoid(texts: Sequence[str], vectors: Floats, weights: Floats, priors: Floats) -> Medoid:
    """Choose the answer that is likely right and near to what the others say.

    Parameters
    ----------
    texts : sequence of str, length n
        The answers. Not empty.
    vectors : ndarray of float64, shape (n, d)
        Their embeddings, rows L2-normalised. A row that is zero or holds a
        NaN is compared with nothing.
    weights : ndarray of float64, shape (n,)
        How much each answer counts as a neighbour, >= 0.
    priors : ndarray of float64, shape (n,)
        Probability in [0, 1] that each juror is right; NaN when unknown.

    Returns
    -------
    Medoid
        Score ties go to the better prior, then to the shorter answer, then to
        the one that comes first in the alphabet.

    Raises
    ------
    ValueError
        If there are no answers, or the lengths differ.

    Notes
    -----
    The score is logit(prior) + 0.5 * z(centrality), where centrality is the
    leave-one-out mean similarity: the medoid of minimum Bayes risk decoding
    [1]_, tempered by who said it. To choose whatever is nearest to the mean of
    the embeddings has been measured to lose against the best juror: the mean
    is reported only. Two answers are equally central, so that the prior alone
    decides. O(n^2 d + n^3).

    References
    ----------
    .. [1] S. Kumar, W. Byrne. Minimum Bayes-Risk Decoding for Statistical
       Machine Translation. HLT-NAACL, 2004.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [0.96, 0.28], [0.6, 0.8]])
    >>> medoid(["a", "b", "c"], vectors, np.ones(3), np.full(3, np.nan)).chosen
    1
    """
    n = len(texts)
    if n == 0 or not n == vectors.shape[0] == weights.size == priors.size:
        raise ValueError("texts, vectors, weights and priors must match and not be empty")
    similar = similarities(texts, vectors)
    central = centrality(similar, weights)
    scores = _log_odds(priors) + (CENTRALITY * _standardised(central) if n > 2 else 0.0)
    outliers = _outliers(central)
    scores[list(outliers)] = -np.inf
    chosen, rule = _best(scores, priors, texts)
    clusters = _clusters(similar)
    tie = _is_tied(chosen, scores, clusters)
    return Medoid(
        chosen=chosen,
        similarity=float(centrality(similar, np.ones(n))[chosen]),
        divergence=_divergence(similar),
        centroid_distance=_centroid_distance(chosen, vectors, weights),
        clusters=clusters,
        scores=scores,
        outliers=outliers,
        tie=tie,
        tie_rule=rule if tie else "",
    )


def similarities(texts: Sequence[str], vectors: Floats) -> Floats:
    """Cosine similarity of all pairs, at most GUARDED_AT where the words contradict.

    Returns
    -------
    ndarray of float64, shape (n, n)
        In [-1, 1], symmetric; 1 for equal texts, NaN for rows without a direction.

    Notes
    -----
    Sentence embeddings hardly see numbers and negation: "safe" and "not safe"
    have a similarity of .94 in MiniLM.
    """
    unit = _unit(vectors)
    with np.errstate(invalid="ignore"):
        similar = np.clip(unit @ unit.T, -1.0, 1.0)
    marks = _alike([(numerals(text), negations(text) % 2, refuses(text)) for text in texts])
    forms = _alike([fold(text) for text in texts])
    guarded = np.where(marks, similar, np.minimum(similar, GUARDED_AT))
    return np.where(forms, 1.0, guarded)


def _alike(items: Sequence[Hashable]) -> NDArray[np.bool_]:
    """Which pairs of items are the same, shape (n, n)."""
    first: dict[Hashable, int] = {}
    named = np.array([first.setdefault(item, i) for i, item in enumerate(items)])
    same: NDArray[np.bool_] = named[:, np.newaxis] == named
    return same


def _unit(vectors: Floats) -> Floats:
    """Rows of length 1; NaN where a row has no direction."""
    rows = np.asarray(vectors, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        scaled: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def centrality(similar: Floats, weights: Floats) -> Floats:
    """Weighted mean similarity of each answer to the others.

    Parameters
    ----------
    similar : ndarray of float64, shape (n, n)
        Similarities; NaN where there is none.
    weights : ndarray of float64, shape (n,)
        Weights of the neighbours, >= 0.

    Returns
    -------
    ndarray of float64, shape (n,)
        In [-1, 1]; NaN for an answer without neighbours.
    """
    counts = np.where(np.isnan(similar), 0.0, weights[np.newaxis, :])
    np.fill_diagonal(counts, 0.0)
    total = counts.sum(axis=1)
    summed = (np.nan_to_num(similar) * counts).sum(axis=1)
    mean = np.full(total.size, np.nan)
    np.divide(summed, total, out=mean, where=total > 0.0)
    return mean


def _centroid_distance(chosen: int, vectors: Floats, weights: Floats) -> float:
    unit = _unit(vectors)
    known: NDArray[np.bool_] = np.all(np.isfinite(unit), axis=1)
    mean = weights[known] @ unit[known]
    length = float(np.linalg.norm(mean))
    if length <= TIE or not known[chosen]:
        return math.nan
    return float(np.clip(1.0 - unit[chosen] @ mean / length, 0.0, 2.0))


def _log_odds(priors: Floats) -> Floats:
    """Log-odds of the priors; unknown ones count as the mean of the known."""
    known = priors[~np.isnan(priors)]
    usual = float(known.mean()) if known.size else 0.5
    filled = np.clip(np.where(np.isnan(priors), usual, priors), 0.01, 0.99)
    odds: Floats = np.log(filled / (1.0 - filled))
    return odds


def _standardised(values: Floats) -> Floats:
    """Standard scores; 0 for NaN, and for all when they do not differ."""
    known = values[~np.isnan(values)]
    spread = float(known.std()) if known.size else 0.0
    if spread <= TIE:
        return np.zeros(values.size)
    standard: Floats = np.nan_to_num((values - known.mean()) / spread)
    return standard


def _outliers(central: Floats) -> tuple[int, ...]:
    """Indices of answers far from the others; needs five to tell."""
    known = central[~np.isnan(central)]
    if known.size < 5:
        return ()
    median = float(np.median(known))
    gap = max(OUTLIER_MADS * float(np.median(np.abs(known - median))), MIN_OUTLIER_GAP)
    return tuple(int(i) for i in np.flatnonzero(central < median - gap))


def _best(scores: Floats, priors: Floats, texts: Sequence[str]) -> tuple[int, str]:
    top = [int(i) for i in np.flatnonzero(scores >= scores.max() - TIE)]
    known = {i: -1.0 if math.isnan(priors[i]) else float(priors[i]) for i in top}
    likely = [i for i in top if known[i] >= max(known.values()) - TIE]
    rule = "prior" if len(likely) == 1 else "key"
    return min(likely, key=lambda i: (len(texts[i]), texts[i], i)), rule


def _is_tied(chosen: int, scores: Floats, clusters: Sequence[tuple[int, ...]]) -> bool:
    """Whether an answer that says something else scores as well."""
    own = next(cluster for cluster in clusters if chosen in cluster)
    others = [i for i in range(scores.size) if i not in own]
    return any(scores[i] >= scores[chosen] - TIE for i in others)


def _clusters(similar: Floats) -> tuple[tuple[int, ...], ...]:
    """Complete linkage: any two members of a cluster are at least SAME_AT alike."""
    linked = np.where(np.isnan(similar), -np.inf, similar)
    np.fill_diagonal(linked, -np.inf)
    clusters = {i: [i] for i in range(linked.shape[0])}
    while linked.max() >= SAME_AT - TIE:
        one, other = divmod(int(linked.argmax()), linked.shape[0])
        clusters[one] += clusters.pop(other)
        linked[one] = linked[:, one] = np.minimum(linked[one], linked[other])
        linked[other] = linked[:, other] = -np.inf
        linked[one, one] = -np.inf
    return tuple(sorted(tuple(sorted(members)) for members in clusters.values()))


def _divergence(similar: Floats) -> float:
    """Mean of one minus similarity over the pairs that have one; 1 when none of several has."""
    upper = similar[np.triu_indices(similar.shape[0], k=1)]
    if upper.size == 0:
        return 0.0
    known = upper[~np.isnan(upper)]
    return float(np.clip(1.0 - known.mean(), 0.0, 1.0)) if known.size else 1.0
