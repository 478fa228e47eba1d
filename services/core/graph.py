"""Whether steps that read each other's outputs can be run, and in which order. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MOST_STEPS: Final = 12
MOST_DEPTH: Final = 4
"""Steps on the longest path: each adds its own errors to those before it."""
MOST_READERS: Final = 5
"""Steps that may read one step."""

Reads = Mapping[str, Sequence[str]]
"""Steps by id, each with those whose outputs it reads."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a graph."""

    step: str
    """Where it shows; empty: the graph as a whole."""
    text: str


def faults(reads: Reads, *, final: Collection[str]) -> list[Fault]:
    """All that keeps a graph from being run.

    `final` are the steps whose outputs make the answer; a step that none of
    them needs works for nothing.
    """
    missing = [*_missing(reads), *_missing_final(reads, final)]
    if missing:
        return missing
    if ring := cycle(reads):
        return [Fault(ring[0], f"the steps wait for each other: {' -> '.join(ring)}")]
    return [*_unreachable(reads, final), *_too_large(reads)]


def cycle(reads: Reads) -> list[str]:
    """One ring of steps, its first step again at the end; empty if there is none.

    Examples
    --------
    >>> cycle({"a": ["c"], "b": ["a"], "c": ["b"], "d": ["a"]})
    ['a', 'c', 'b', 'a']
    >>> cycle({"a": [], "b": ["a"]})
    []
    """
    ordered = set(_kahn(reads))
    stuck = {step for step in reads if step not in ordered}
    if not stuck:
        return []
    path = [next(step for step in reads if step in stuck)]
    while path[-1] not in path[:-1]:
        path.append(next(read for read in reads[path[-1]] if read in stuck))
    return path[path.index(path[-1]) :]


def in_order(reads: Reads) -> list[str]:
    """The steps so that each stands after all that it reads; else in the given order.

    Raises
    ------
    ValueError
        If they wait for each other or for a step that does not exist.

    References
    ----------
    .. [1] A. B. Kahn. Topological sorting of large networks. Communications of
       the ACM 5 (11), 1962.

    Examples
    --------
    >>> in_order({"c": ["a", "b"], "b": ["a"], "a": []})
    ['a', 'b', 'c']
    """
    ordered = _kahn(reads)
    if len(ordered) < len(reads):
        raise ValueError(f"steps {sorted(set(reads) - set(ordered))} can never start")
    return ordered


def levels(reads: Reads) -> dict[str, int]:
    """Steps on the longest path up to each step, itself included; >= 1."""
    depth: dict[str, int] = {}
    for step in in_order(reads):
        depth[step] = 1 + max((depth[read] for read in reads[step]), default=0)
    return depth


def behind(reads: Reads, final: Collection[str]) -> set[str]:
    """The given steps and all that they need."""
    needed, waiting = set(final), list(final)
    while waiting:
        new = [read for read in reads[waiting.pop()] if read not in needed]
        needed.update(new)
        waiting.extend(new)
    return needed


def time_behind(reads: Reads, seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds of the longest path after each step: its critical path.

    Examples
    --------
    >>> reads = {"a": [], "b": ["a"], "c": ["a"], "d": ["b"]}
    >>> time_behind(reads, {"a": 1.0, "b": 2.0, "c": 9.0, "d": 4.0})
    {'d': 0.0, 'c': 0.0, 'b': 4.0, 'a': 9.0}
    """
    longest: dict[str, float] = {}
    for step in reversed(in_order(reads)):
        after = [seconds[r] + longest[r] for r in longest if step in reads[r]]
        longest[step] = max(after, default=0.0)
    return longest


def critical_path(reads: Reads, seconds: Mapping[str, float]) -> list[str]:
    """Steps of a longest path, in order; the first ones of equally long.

    Examples
    --------
    >>> reads = {"a": [], "b": ["a"], "c": ["a"], "d": ["b"]}
    >>> critical_path(reads, {"a": 1.0, "b": 2.0, "c": 9.0, "d": 4.0})
    ['a', 'c']
    """
    after = time_behind(reads, seconds)
    path, able = [], [step for step in reads if not reads[step]]
    while able:
        path.append(max(able, key=lambda step: seconds[step] + after[step]))
        able = [step for step in reads if path[-1] in reads[step]]
    return path


def critical_first(reads: Reads, urgency: Mapping[str, float]) -> list[str]:
    """The steps so that each stands after all that it reads, else the most urgent first.

    List scheduling by the longest remaining path [1]_: `urgency` is its length
    from each step on.

    References
    ----------
    .. [1] T. C. Hu. Parallel sequencing and assembly line problems. Operations
       Research 9 (6), 1961.

    Examples
    --------
    >>> critical_first({"a": [], "b": [], "c": ["a"]}, {"a": 1.0, "b": 5.0, "c": 0.5})
    ['b', 'a', 'c']
    """
    ordered: dict[str, None] = {}
    while ready := [s for s in reads if s not in ordered and all(r in ordered for r in reads[s])]:
        ordered[max(ready, key=lambda step: urgency[step])] = None
    return list(ordered)


def unread(reads: Reads) -> list[str]:
    """Steps that no other step reads, in the given order."""
    read = {one for of_step in reads.values() for one in of_step}
    return [step for step in reads if step not in read]


def _kahn(reads: Reads) -> list[str]:
    """All steps that can start once those before them are done. O(steps squared)."""
    ordered: dict[str, None] = {}
    while ready := [s for s in reads if s not in ordered and all(r in ordered for r in reads[s])]:
        ordered.update(dict.fromkeys(ready))
    return list(ordered)


def _missing(reads: Reads) -> Iterator[Fault]:
    for step, of_step in reads.items():
        for read in of_step:
            if read not in reads:
                yield Fault(step, f"`{step}` reads the step `{read}`, which does not exist")


def _missing_final(reads: Reads, final: Collection[str]) -> Iterator[Fault]:
    for step in final:
        if step not in reads:
            yield Fault("", f"the merge reads the step `{step}`, which does not exist")


def _unreachable(reads: Reads, final: Collection[str]) -> Iterator[Fault]:
    needed = behind(reads, final)
    for step in reads:
        if step not in needed:
            yield Fault(step, f"the output of `{step}` never reaches the answer")


def _too_large(reads: Reads) -> Iterator[Fault]:
    if len(reads) > MOST_STEPS:
        yield Fault("", f"{len(reads)} steps; at most {MOST_STEPS} are allowed")
    for step, depth in levels(reads).items():
        if depth == MOST_DEPTH + 1:
            yield Fault(step, f"`{step}` is the {depth}th in a row; at most {MOST_DEPTH} may be")
    for step in reads:
        readers = sum(step in of_step for of_step in reads.values())
        if readers > MOST_READERS:
            text = f"{readers} steps read `{step}`; at most {MOST_READERS} may"
            yield Fault(step, text)
