"""What requests have spent of the budgets that they share, and what runs may still spend.

A request reserves the most that it may spend before anybody is asked, and
returns what it did not spend when it ends. So what is spent and reserved
together never exceeds a budget, however many requests run at once. One
process, one event loop, no locks.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.config.budgets import SharedBudget
from services.core.errors import BudgetSpentError
from services.core.lease import ROUNDING_USD
from services.gateway.periods import period_end, period_start
from services.ledger.queries import Charge

HELD_S: Final = 1.0
"""Seconds after which a refused request may do better while others hold what is left."""


@dataclass(slots=True)
class Account:
    """One budget in one period, of one caller or of all."""

    name: str
    budget: SharedBudget
    caller: str
    """Whose it is; empty: everybody's."""
    ends: datetime
    spent_usd: float = 0.0
    held_usd: float = 0.0
    """Reserved by requests that run."""

    @property
    def left_usd(self) -> float:
        """What nobody has spent or reserved."""
        return max(0.0, self.budget.max_usd - self.spent_usd - self.held_usd)

    def refusal(
        self, now: datetime, *, wanted_usd: float, own_usd: float = 0.0
    ) -> BudgetSpentError:
        """Why a request that may need `wanted_usd` and holds `own_usd` does not get it."""
        whose = f" of {self.caller}" if self.caller else ""
        ends = self.ends.isoformat().replace("+00:00", "Z")
        left_usd, held_usd = self.left_usd + own_usd, max(0.0, self.held_usd - own_usd)
        held = held_usd > ROUNDING_USD
        return BudgetSpentError(
            f"budget {self.name}{whose} has {left_usd:.6g} of {self.budget.max_usd:g} USD left for"
            f" this {self.budget.per}, which ends at {ends}; requests that run hold"
            f" {held_usd:.6g}, and this one may cost {wanted_usd:.6g}",
            retry_after_s=HELD_S if held else max(HELD_S, (self.ends - now).total_seconds()),
            budget=self.name,
            limit_usd=f"{self.budget.max_usd:g}",
            left_usd=f"{left_usd:.6g}",
            held_usd=f"{held_usd:.6g}",
            period_ends=ends,
        )


class Hold:
    """What one request reserved; of nothing when no budget covers it."""

    def __init__(
        self, accounts: Iterable[Account], usd: float | None, *, wanted_usd: float
    ) -> None:
        self._accounts = tuple(accounts)
        self.usd = usd
        """Most that the request may spend; None: no budget says."""
        self._wanted_usd = wanted_usd

    def shortage(self, now: datetime) -> BudgetSpentError | None:
        """Why the request could not reserve all that it may need; None when it could."""
        if self.usd is None or self.usd >= self._wanted_usd - ROUNDING_USD:
            return None
        tightest = min(self._accounts, key=lambda account: account.left_usd)
        return tightest.refusal(now, wanted_usd=self._wanted_usd, own_usd=self.usd)

    def settle(self, spent_usd: float) -> None:
        """End it: book what was spent, return the rest."""
        for account in self._accounts:
            account.held_usd = max(0.0, account.held_usd - (self.usd or 0.0))
            account.spent_usd += spent_usd
        self._accounts = ()


class Accounts:
    """All budgets that requests share, by period and caller."""

    def __init__(self, budgets: Mapping[str, SharedBudget], charges: Iterable[Charge] = ()) -> None:
        self._budgets = dict(budgets)
        self._open: dict[tuple[str, str, datetime], Account] = {}
        self._first_end = datetime.max.replace(tzinfo=UTC)
        for charge in charges:
            for account in self._covering(charge.ensemble, charge.caller, charge.started):
                account.spent_usd += charge.usd

    def cover(self, *, ensemble: str, caller: str) -> bool:
        """Whether any budget covers such a request."""
        return any(b.covers(ensemble=ensemble, caller=caller) for b in self._budgets.values())

    def hold(
        self, *, ensemble: str, caller: str, most_usd: float, free: bool, now: datetime
    ) -> Hold:
        """Reserve the most that a request may spend, or what is left.

        Raises
        ------
        BudgetSpentError
            If nothing is left, unless the request may be answered for `free`.
        """
        accounts = list(self._covering(ensemble, caller, now))
        if not accounts:
            return Hold((), None, wanted_usd=most_usd)
        tightest = min(accounts, key=lambda account: account.left_usd)
        if not free and tightest.left_usd <= ROUNDING_USD:
            raise tightest.refusal(now, wanted_usd=most_usd)
        usd = min(most_usd, tightest.left_usd)
        for account in accounts:
            account.held_usd += usd
        return Hold(accounts, usd, wanted_usd=most_usd)

    def followed(self, name: str, *, caller: str, now: datetime) -> Account:
        """The account of one budget in its present period, whoever draws from it.

        Raises
        ------
        KeyError
            If there is no such budget.
        """
        self._forget(now)
        budget = self._budgets[name]
        return self._account(name, budget, caller if budget.each_caller else "", now)

    def states(self, now: datetime) -> list[Account]:
        """The accounts of the present periods; of a budget for each caller, those who spent."""
        for name, budget in self._budgets.items():
            if not budget.each_caller:
                self._account(name, budget, "", now)
        self._forget(now)
        told = (a for a in self._open.values() if a.spent_usd or a.held_usd or not a.caller)
        return sorted(told, key=lambda account: (account.name, account.caller))

    def _covering(self, ensemble: str, caller: str, now: datetime) -> Iterator[Account]:
        self._forget(now)
        for name, budget in self._budgets.items():
            if budget.covers(ensemble=ensemble, caller=caller):
                yield self._account(name, budget, caller if budget.each_caller else "", now)

    def _account(self, name: str, budget: SharedBudget, caller: str, now: datetime) -> Account:
        key = (name, caller, period_start(budget.per, now))
        if key not in self._open:
            ends = period_end(budget.per, now)
            self._open[key] = Account(name, budget, caller, ends)
            self._first_end = min(self._first_end, ends)
        return self._open[key]

    def _forget(self, now: datetime) -> None:
        """Drop the accounts of periods that are over."""
        if now >= self._first_end:
            self._open = {key: each for key, each in self._open.items() if each.ends > now}
            ends = (each.ends for each in self._open.values())
            self._first_end = min(ends, default=datetime.max.replace(tzinfo=UTC))
