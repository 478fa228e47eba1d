"""What an RPC may spend, and what is left of it."""

from dataclasses import dataclass


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
