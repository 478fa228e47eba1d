"""Whether cutting a task into steps pays at all. Pure; by default it does not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.core.graph import Reads, levels, time_behind
from services.core.lease import Lease
from services.core.probability import at_least

LEAST_SPEED_UP: Final = 1.3
MOST_SINGLE: Final = 0.6
"""Where one call is adequate this often, cutting has been found to make answers worse."""
LEAST_GAIN: Final = 0.05
"""By how much all steps together must be more likely adequate than one call."""
LEAST_STEPS: Final = 2


@dataclass(frozen=True, slots=True)
class Prospect:
    """What to expect of one who could do something."""

    adequacy: float
    """In [0, 1]."""
    seconds: float
    usd: float = 0.0
    calls: int = 1
    tokens: int = 0


NOTHING: Final = Prospect(1.0, 0.0, calls=0)


@dataclass(frozen=True, slots=True)
class Quorum:
    """Steps of which so many must succeed."""

    steps: tuple[str, ...]
    needed: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a plan takes, the planner's part included."""

    usd: float
    calls: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether to cut, with the numbers."""

    n_steps: int
    parallel: float
    """Share of the expected time in steps that run beside others, in [0, 1]."""
    width: int
    """Most steps at once."""
    speed_up: float
    """Expected time of all, one by one, over that of the plan; >= 1."""
    p_single: float
    """Predicted adequacy of one call."""
    p_plan: float
    """Predicted probability that all it takes is adequate."""
    weakest: str
    """Step that is least likely adequate."""
    p_weakest: float
    cost: Cost
    objections: tuple[str, ...]
    """Why not to cut; empty: it pays."""

    @property
    def pays(self) -> bool:
        return not self.objections

    @property
    def text(self) -> str:
        """The decision with its numbers, as one sentence."""
        if self.objections:
            return f"not cut: {'; '.join(self.objections)}"
        return (
            f"cut into {self.n_steps} steps: one call is predicted adequate at {self.p_single:.2f},"
            f" below {MOST_SINGLE:.2f}; all steps and the merge at {self.p_plan:.2f}, more than"
            f" {LEAST_GAIN:.2f} above; speed-up {self.speed_up:.2f}, at least {LEAST_SPEED_UP:.2f};"
            f" the weakest step is `{self.weakest}` at {self.p_weakest:.2f}"
        )


def gate(
    reads: Reads,
    steps: Mapping[str, Prospect],
    *,
    required: Iterable[str],
    quorums: Sequence[Quorum] = (),
    single: Prospect,
    merge: Prospect = NOTHING,
    planner: Prospect = NOTHING,
    lease: Lease,
) -> Gate:
    """Decide whether a graph that can be run is worth running instead of one call.

    The planner counts by what it takes from now on: nothing but its time once it
    was asked, and the lease is then what it left.

    Notes
    -----
    Multi-agent forms lose on sequential work, and where a single agent is
    already good [1]_: hence the parallel fraction by Amdahl's law and the
    ceiling on what one call is predicted to reach. O(steps squared).

    References
    ----------
    .. [1] Towards a Science of Scaling Agent Systems. arXiv:2512.08296, 2025.
    """
    needed = list(required)
    p_plan = plan_adequacy(steps, required=needed, quorums=quorums) * merge.adequacy
    parallel, width, speed_up = shape(reads, steps, serial_s=merge.seconds + planner.seconds)
    cost = _cost([*steps.values(), merge, planner])
    weakest = min(needed or steps, key=lambda name: steps[name].adequacy)
    return Gate(
        n_steps=len(reads),
        parallel=parallel,
        width=width,
        speed_up=speed_up,
        p_single=single.adequacy,
        p_plan=p_plan,
        weakest=weakest,
        p_weakest=steps[weakest].adequacy,
        cost=cost,
        objections=(
            *_too_few(len(reads)),
            *_too_good(single.adequacy),
            *_no_gain(p_plan, single.adequacy),
            *_no_speed_up(speed_up, parallel, width),
            *unaffordable(cost, lease),
        ),
    )


def plan_adequacy(
    steps: Mapping[str, Prospect], *, required: Iterable[str], quorums: Sequence[Quorum] = ()
) -> float:
    """Probability that all required steps, and enough of each quorum, are adequate.

    Optional steps do not count, and steps fail independently of each other.

    Examples
    --------
    >>> steps = {name: Prospect(0.8, 1.0) for name in "abc"}
    >>> round(plan_adequacy(steps, required="ab"), 3)
    0.64
    >>> round(plan_adequacy(steps, required="", quorums=[Quorum(("a", "b", "c"), 2)]), 3)
    0.896
    """
    in_quorum = {name for quorum in quorums for name in quorum.steps}
    alone = [steps[name].adequacy for name in required if name not in in_quorum]
    grouped = [
        at_least(quorum.needed, [steps[name].adequacy for name in quorum.steps])
        for quorum in quorums
    ]
    return float(np.prod([*alone, *grouped]))


def shape(
    reads: Reads, steps: Mapping[str, Prospect], *, serial_s: float
) -> tuple[float, int, float]:
    """Parallel fraction, width and expected speed-up of a graph with `serial_s` around it.

    The speed-up is Amdahl's [1]_, but no more than the critical path allows.

    References
    ----------
    .. [1] G. M. Amdahl. Validity of the single processor approach to achieving
       large scale computing capabilities. AFIPS 1967.

    Examples
    --------
    >>> two = {"a": Prospect(0.9, 2.0), "b": Prospect(0.9, 2.0)}
    >>> shape({"a": [], "b": []}, two, serial_s=1.0)
    (0.8, 2, 1.6666666666666667)
    """
    level = levels(reads)
    sizes = [list(level.values()).count(depth) for depth in level.values()]
    beside = [steps[n].seconds for n, size in zip(level, sizes, strict=True) if size > 1]
    seconds = {name: steps[name].seconds for name in reads}
    total = sum(seconds.values()) + serial_s
    if total <= 0.0:
        return 0.0, max(sizes), 1.0
    fraction, width = sum(beside) / total, max(sizes)
    behind = time_behind(reads, seconds)
    longest = max(seconds[name] + behind[name] for name in reads) + serial_s
    amdahl = 1.0 / ((1.0 - fraction) + fraction / width)
    return fraction, width, min(amdahl, total / longest)


def too_good(single: Prospect) -> str:
    """Why nobody need be asked for a plan, or empty: one call is good enough."""
    return "; ".join(_too_good(single.adequacy))


def unaffordable(cost: Cost, lease: Lease) -> list[str]:
    """What a plan needs more of than the lease has."""
    wanted = [
        ("model calls", cost.calls, lease.model_calls, "d"),
        ("US dollars", cost.usd, lease.cost_usd, ".6f"),
        ("tokens", cost.tokens, lease.tokens, "d"),
    ]
    return [
        f"it is expected to take {need:{form}} {what}; {left:{form}} are left"
        for what, need, left, form in wanted
        if left is not None and need > left
    ]


def _cost(asked: Iterable[Prospect]) -> Cost:
    every = list(asked)
    return Cost(
        sum(each.usd for each in every),
        sum(each.calls for each in every),
        sum(each.tokens for each in every),
    )


def _too_few(n_steps: int) -> list[str]:
    return [f"it has {n_steps} part, fewer than {LEAST_STEPS}"] if n_steps < LEAST_STEPS else []


def _too_good(p_single: float) -> list[str]:
    if p_single < MOST_SINGLE:
        return []
    return [f"one call is predicted adequate at {p_single:.2f}, at or above {MOST_SINGLE:.2f}"]


def _no_gain(p_plan: float, p_single: float) -> list[str]:
    if p_plan > p_single + LEAST_GAIN:
        return []
    found = f"all steps and the merge are predicted adequate at {p_plan:.2f}"
    return [f"{found}, no more than {p_single:.2f} + {LEAST_GAIN:.2f}"]


def _no_speed_up(speed_up: float, parallel: float, width: int) -> list[str]:
    if speed_up >= LEAST_SPEED_UP:
        return []
    beside = f"{parallel:.0%} of the time in up to {width} at once"
    return [f"it speeds up {speed_up:.2f} times, less than {LEAST_SPEED_UP:.2f} ({beside})"]
