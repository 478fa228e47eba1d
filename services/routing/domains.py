"""To which fields of knowledge a prompt belongs: as it is told, else as like prompts do. Pure."""

from collections.abc import Sequence

import numpy as np

from services.routing.artefact import Domains
from services.routing.features import Floats, Words
from services.routing.kernels import by_words


def domain_places(
    domains: Domains, near: Floats, words: Sequence[Words], rarity: Floats, told: Sequence[str]
) -> Floats:
    """How far each prompt belongs to each domain, shape (n, f); rows have sum 1, or no columns.

    Parameters
    ----------
    near : ndarray of float64, shape (n, known)
        Likeness to the known prompts.
    words : sequence of Words, length n
    rarity : ndarray of float, shape (BUCKETS,) or (0,)
    told : sequence of str, length n
        Domain of each prompt; where it is empty or none of these, the likely
        ones count, the likelier the more.

    Notes
    -----
    Regularised least squares on the domains' indicators classify as well as
    support vector machines do [1]_; the softmax makes shares of them.

    References
    ----------
    .. [1] R. Rifkin, G. Yeo, T. Poggio. Regularized Least-Squares
       Classification. 2003.
    """
    if not domains.names:
        return np.zeros((len(told), 0))
    places = np.zeros((len(told), len(domains.names)))
    at = {name: nth for nth, name in enumerate(domains.names)}
    untold = [row for row, name in enumerate(told) if name not in at]
    if untold:
        places[untold] = _likely(domains, near[untold], [words[row] for row in untold], rarity)
    for row, name in enumerate(told):
        if name in at:
            places[row, at[name]] = 1.0
    return places


def _likely(domains: Domains, near: Floats, words: Sequence[Words], rarity: Floats) -> Floats:
    said = domains.bias + near @ domains.weights.astype(np.float64)
    said += by_words(domains.of_words, words, rarity) * domains.word_step
    weight = np.exp(domains.sharpness * (said - said.max(axis=1, keepdims=True)))
    shares: Floats = weight / weight.sum(axis=1, keepdims=True)
    return shares
