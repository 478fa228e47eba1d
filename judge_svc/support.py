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
from statistics import fmean
from typing import Final

from judge_svc.grounding import Signal
from judge_svc.wording import Sentence, sentences

Four = tuple[float, float, float, float]
"""Values of the signals, in the order of the table."""

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
    told = [_of_sentence(each, others, every) for each in said]
    agreement, *more = map(fmean, zip(*told, strict=True))
    worst = min(range(len(said)), key=lambda i: told[i][0])
    return (
        Signal("agreement", agreement, "" if agreement >= 1.0 else said[worst].text),
        *(
            Signal(name, value)
            for name, value in zip(("echo", "held", "rarest"), more, strict=True)
        ),
    )


def _of_sentence(
    said: Sentence, others: Sequence[Sequence[Sentence]], every: Sequence[frozenset[str]]
) -> Four:
    """The four values of a sentence; `every` holds all stems of each of the others."""
    best = [max(len(said.stems & s.stems) for s in peer) / len(said.stems) for peer in others]
    held = sorted(sum(stem in peer for peer in every) / len(every) for stem in said.stems)
    return fmean(best), max(best), sum(map(bool, held)) / len(held), fmean(held[:2])
