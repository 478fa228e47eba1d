"""How far an answer is borne out by what other jurors answered. Pure.

| signal    | what it is, in [0, 1]                                                       |
|-----------|-----------------------------------------------------------------------------|
| agreement | how much of a sentence stands in one sentence of a peer, mean over the peers |
| echo      | the same of the peer that says most of it                                   |
| held      | how much of a sentence stands in any peer's answer                          |
| rarest    | share of peers that hold the two words of a sentence that fewest hold       |

Each is the mean over the sentences of the answer. Words are compared by their stems.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from judge_svc.grounding import Signal
from judge_svc.wording import Sentence, sentences

Floats = NDArray[np.float64]

READ_SENTENCES: Final = 256
"""Sentences of each text that are compared: all are, with all of each peer."""


def borne_out(answer: str, peers: Sequence[str]) -> tuple[Signal, ...]:
    """Signals of an answer, in the order of the table; none without a peer or a word.

    Parameters
    ----------
    answer : str
        The answer, or one claim of it.
    peers : sequence of str
        What the others answered, each on its own.

    Notes
    -----
    Models that err alone are found out by the others; those that err together
    are not, so that this is evidence and no proof [1]_. O(words of the answer
    times sentences of the peers).

    References
    ----------
    .. [1] P. Manakul et al. SelfCheckGPT: Zero-Resource Black-Box Hallucination
       Detection for Generative Large Language Models. EMNLP 2023.

    Examples
    --------
    >>> told = borne_out("It opened in 1901.", ["It opened in 1901.", "Opened 1899."])
    >>> [(signal.name, signal.value) for signal in told]
    [('agreement', 0.75), ('echo', 1.0), ('held', 1.0), ('rarest', 0.75)]
    """
    said = [each for each in sentences(answer)[:READ_SENTENCES] if each.stems]
    others = [found[:READ_SENTENCES] for peer in peers if (found := sentences(peer))]
    if not said or not others:
        return ()
    every = [frozenset[str]().union(*(s.stems for s in peer)) for peer in others]
    told = np.array([_of_sentence(each, others, every) for each in said])
    means, worst = told.mean(axis=0), said[int(told[:, 0].argmin())]
    evidence = ("", "", "", "") if means[0] >= 1.0 else (worst.text, "", "", "")
    names = ("agreement", "echo", "held", "rarest")
    return tuple(
        Signal(name, float(value), seen)
        for name, value, seen in zip(names, means, evidence, strict=True)
    )


def _of_sentence(
    said: Sentence, others: Sequence[Sequence[Sentence]], every: Sequence[frozenset[str]]
) -> Floats:
    """The four values of a sentence; `every` holds all stems of each of the others."""
    stems = sorted(said.stems)
    holds = np.array([[stem in held for stem in stems] for held in every], dtype=np.float64)
    best = np.array([max(len(said.stems & s.stems) for s in peer) for peer in others]) / len(stems)
    shares = np.sort(holds.mean(axis=0))
    return np.array([best.mean(), best.max(), holds.any(axis=0).mean(), shares[:2].mean()])
