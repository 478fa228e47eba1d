"""Which numbers, names and quotations of an answer stand in what other jurors answered. Pure.

| signal       | what it is, in [0, 1]                                                        |
|--------------|------------------------------------------------------------------------------|
| peer_numbers | share of the peers that hold a number of the answer, mean over its numbers   |
| peer_names   | the same of its names                                                        |
| peer_quotes  | the same of its quotations, word for word                                    |

1 where the answer has none: then nothing speaks against it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from judge_svc.grounding import (
    Context,
    Signal,
    context_of,
    has_number,
    has_quote,
    named,
    names_in,
    numbers_in,
    quotes_in,
)
from judge_svc.wording import sentences, stem

MOST_THINGS: Final = 256
"""Numbers, names and quotations that are looked for, the first ones of each."""


def held_by_peers(answer: str, peers: Sequence[str]) -> tuple[Signal, ...]:
    """Signals of an answer, in the order of the table; none without a peer or a word.

    Their evidence names what no peer holds.

    Examples
    --------
    >>> told = held_by_peers("It cost 7 or 9.", ["It cost 7.", "About 7."])
    >>> [(signal.name, signal.value, signal.evidence) for signal in told]
    [('peer_numbers', 0.5, '9'), ('peer_names', 1.0, ''), ('peer_quotes', 1.0, '')]
    """
    said = sentences(answer)
    read = [found for peer in peers if (found := context_of([peer])).sentences]
    if not said or not read:
        return ()
    return (
        _shared("peer_numbers", numbers_in(answer), read, has_number),
        _shared("peer_names", names_in(said), read, _has_name),
        _shared("peer_quotes", quotes_in(answer), read, has_quote),
    )


def _shared(
    name: str,
    things: Sequence[str],
    peers: Sequence[Context],
    holds: Callable[[Context, str], bool],
) -> Signal:
    once = list(dict.fromkeys(things))[:MOST_THINGS]
    if not once:
        return Signal(name, 1.0)
    held = [sum(holds(peer, thing) for peer in peers) for thing in once]
    alone = [thing for thing, count in zip(once, held, strict=True) if not count]
    return Signal(name, sum(held) / (len(peers) * len(once)), named(alone))


def _has_name(context: Context, name: str) -> bool:
    return stem(name.casefold()) in context.stems
