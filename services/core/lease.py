"""What an RPC may spend, and what is left of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MIN_OUTPUT_TOKENS: Final = 16
"""A call that may write less than this is not worth its input."""

ROUNDING_USD: Final = 1e-12
"""Sums of prices are not exact."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call to a model, as dear as it can get."""

    input_tokens: int
    """Estimated, >= 0."""
    output_tokens: int
    """Most that it may write, >= 0."""
    input_usd_per_mtok: float = 0.0
    output_usd_per_mtok: float = 0.0

    @property
    def cost_usd(self) -> float:
        read = self.input_tokens * self.input_usd_per_mtok
        return (read + self.output_tokens * self.output_usd_per_mtok) / 1e6

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def output_within(self, lease: "Lease") -> int:
        """Most tokens that it may write so that the lease pays for all of it; 0 when for none.

        Examples
        --------
        >>> Call(100, 1024, 1.0, 10.0).output_within(Lease(cost_usd=0.001))
        90
        """
        most: float = self.output_tokens
        if lease.tokens is not None:
            most = min(most, lease.tokens - self.input_tokens)
        if lease.cost_usd is not None and lease.cost_usd < self.cost_usd:
            left_usd = lease.cost_usd - self.input_tokens * self.input_usd_per_mtok / 1e6
            dear = self.output_usd_per_mtok > 0.0 and left_usd > 0.0
            most = min(most, left_usd * 1e6 / self.output_usd_per_mtok if dear else 0.0)
        return max(0, math.floor(most + 1e-9))

    def is_worth(self, output_tokens: int) -> bool:
        """Whether that many tokens are enough of an answer."""
        return output_tokens >= min(MIN_OUTPUT_TOKENS, self.output_tokens)


@dataclass(frozen=True, slots=True)
class Lease:
    """Limits on spend; None is no limit of that kind. Never below zero."""

    cost_usd: float | None = None
    model_calls: int | None = None
    tokens: int | None = None

    def less(self, *, cost_usd: float = 0.0, model_calls: int = 0, tokens: int = 0) -> "Lease":
        """What is left after that spend."""
        return Lease(
            None if self.cost_usd is None else max(0.0, self.cost_usd - cost_usd),
            None if self.model_calls is None else max(0, self.model_calls - model_calls),
            None if self.tokens is None else max(0, self.tokens - tokens),
        )

    def exhausted(self, *, free: bool) -> str:
        """Name of the first limit that allows no further call, or empty.

        `free` says whether the call would cost nothing; then it needs no money.
        """
        left: dict[str, float | None] = {"model_calls": self.model_calls, "tokens": self.tokens}
        if not free:
            left["cost_usd"] = self.cost_usd
        return next((name for name, value in left.items() if value is not None and value <= 0), "")


class Purse:
    """A lease that several calls draw from, one at a time as they start. One event loop, no locks.

    What is taken is gone for everybody else before the call is sent, so that
    calls that run at once cannot spend the same money.

    Examples
    --------
    >>> purse = Purse(Lease(model_calls=1))
    >>> retry = Call(100, 200)
    >>> purse.take(retry), purse.take(retry)
    (True, False)
    >>> purse.put_back(retry, model_calls=0)
    >>> purse.take(retry)
    True
    """

    def __init__(self, lease: Lease) -> None:
        self.left = lease

    def take(self, call: Call) -> bool:
        """Reserve one call to a model at its dearest; False, and nothing taken, if it is too dear."""
        if not self._pays_for(call):
            return False
        self.left = self.left.less(cost_usd=call.cost_usd, model_calls=1, tokens=call.tokens)
        return True

    def put_back(
        self, call: Call, *, cost_usd: float = 0.0, model_calls: int = 0, tokens: int = 0
    ) -> None:
        """End a call that was taken: return what it did not spend of its reservation.

        The arguments are what it spent. More than was reserved comes out of the
        purse, as far as there is any left.
        """
        self.left = self.left.less(
            cost_usd=cost_usd - call.cost_usd,
            model_calls=model_calls - 1,
            tokens=tokens - call.tokens,
        )

    def _pays_for(self, call: Call) -> bool:
        left = self.left
        return (
            (left.model_calls is None or left.model_calls >= 1)
            and (left.tokens is None or left.tokens >= call.tokens)
            and (left.cost_usd is None or left.cost_usd >= call.cost_usd - ROUNDING_USD)
        )


def output_limits(calls: Sequence[Call], lease: Lease) -> list[int]:
    """Most tokens that each of several calls may write so that the lease pays for all of them.

    Money and tokens are split evenly; what a call does not need goes to the
    others.

    Parameters
    ----------
    calls : sequence of Call, length n
        Calls that run at once.
    lease : Lease
        What they may spend together.

    Returns
    -------
    list of int, length n
        Each at most what its call wants, and 0 when its share does not even
        pay for the input.

    Examples
    --------
    >>> output_limits([Call(10, 100), Call(10, 1000)], Lease(tokens=500))
    [100, 380]
    """
    costs = _shares(lease.cost_usd, [call.cost_usd for call in calls])
    tokens = _shares(lease.tokens, [call.tokens for call in calls])
    shares = zip(calls, costs, tokens, strict=True)
    return [
        call.output_within(Lease(cost_usd=usd, tokens=None if most is None else math.floor(most)))
        for call, usd, most in shares
    ]


def _shares(total: float | None, needs: Sequence[float]) -> list[float | None]:
    """Max-min fair shares of a total; all None when it has no limit."""
    shares: list[float | None] = [None] * len(needs)
    if total is None:
        return shares
    modest_first = sorted(range(len(needs)), key=lambda i: needs[i])
    for served, i in enumerate(modest_first):
        share = min(needs[i], total / (len(needs) - served))
        shares[i], total = share, total - share
    return shares
