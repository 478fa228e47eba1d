"""What is spent and reserved together never exceeds a budget; what is not spent comes back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.config.budgets import SharedBudget
from services.core.errors import BudgetSpentError
from services.gateway.accounts import Accounts
from services.ledger.queries import Charge

NOW = datetime(2026, 5, 31, 23, 30, tzinfo=UTC)
QUARTER = SharedBudget(max_usd=0.25, per="hour")


def hold(accounts, usd=0.09, *, ensemble="main", caller="a", free=False, now=NOW):
    return accounts.hold(ensemble=ensemble, caller=caller, most_usd=usd, free=free, now=now)


def left_usd(accounts, now=NOW):
    return {(a.name, a.caller): a.left_usd for a in accounts.states(now)}


class TestOneBudget:
    def test_the_last_request_gets_what_is_left(self):
        accounts = Accounts({"team": QUARTER})

        held = [hold(accounts).usd for _ in range(3)]

        assert [0.09, 0.09, pytest.approx(0.07)] == held

    def test_where_nothing_is_left_a_request_is_refused(self):
        accounts = Accounts({"team": QUARTER})
        for _ in range(3):
            hold(accounts)

        with pytest.raises(BudgetSpentError) as caught:
            hold(accounts)

        told = {
            "budget": "team",
            "limit_usd": "0.25",
            "left_usd": "0",
            "held_usd": "0.25",
            "period_ends": "2026-06-01T00:00:00Z",
        }
        assert (told, 1.0) == (caught.value.metadata, caught.value.retry_after_s)

    def test_who_is_refused_because_all_is_spent_is_told_when_the_period_ends(self):
        accounts = Accounts({"team": QUARTER})
        hold(accounts, 0.25).settle(0.25)

        with pytest.raises(BudgetSpentError, match=r"0 of 0.25 USD left for this hour") as caught:
            hold(accounts)

        assert 30 * 60 == caught.value.retry_after_s

    def test_what_was_not_spent_comes_back_once(self):
        accounts = Accounts({"team": QUARTER})
        held = hold(accounts, 0.25)

        held.settle(0.01)
        held.settle(0.01)

        assert {("team", ""): pytest.approx(0.24)} == left_usd(accounts)

    def test_a_free_answer_needs_nothing(self):
        accounts = Accounts({"team": SharedBudget(max_usd=0.0, per="day")})

        assert 0.0 == hold(accounts, 0.0, free=True).usd

    def test_only_a_request_that_got_less_than_it_may_need_is_short(self):
        accounts = Accounts({"team": QUARTER})
        whole, part = hold(accounts, 0.2), hold(accounts, 0.2)

        assert whole.shortage(NOW) is None
        told = part.shortage(NOW).metadata
        assert ("team", "0.05", "0.2") == (told["budget"], told["left_usd"], told["held_usd"])

    def test_the_next_period_begins_anew(self):
        accounts = Accounts({"team": QUARTER})
        late = hold(accounts, 0.25)

        after = NOW + timedelta(hours=1)
        assert 0.25 == hold(accounts, 0.25, now=after).usd
        late.settle(0.25)
        assert {("team", ""): 0.0} == left_usd(accounts, after)


class TestSeveralBudgets:
    def test_a_request_draws_from_each_that_covers_it(self):
        accounts = Accounts(
            {
                "all": SharedBudget(max_usd=1.0, per="month"),
                "main": SharedBudget(max_usd=0.1, per="day", ensembles=("main",)),
            }
        )

        hold(accounts, 0.3).settle(0.1)
        hold(accounts, 0.3, ensemble="other").settle(0.3)

        assert {("all", ""): pytest.approx(0.6), ("main", ""): 0.0} == left_usd(accounts)

    def test_a_budget_for_each_caller_is_spent_by_nobody_else(self):
        accounts = Accounts({"each": SharedBudget(max_usd=0.1, per="day", each_caller=True)})
        hold(accounts, 0.1, caller="a").settle(0.1)

        with pytest.raises(BudgetSpentError, match=r"budget each of a has 0 of 0\.1"):
            hold(accounts, caller="a")
        assert 0.1 == hold(accounts, 0.3, caller="b").usd
        assert {("each", "a"): 0.0, ("each", "b"): 0.0} == left_usd(accounts)

    def test_a_budget_of_some_callers_is_not_for_others(self):
        accounts = Accounts({"some": SharedBudget(max_usd=0.0, per="day", callers=("a",))})

        assert hold(accounts, caller="b").usd is None
        with pytest.raises(BudgetSpentError):
            hold(accounts, caller="a")


class TestRebuilding:
    def test_charges_of_the_present_period_count(self):
        charges = [
            Charge("main", "a", NOW - timedelta(hours=1), 0.5),
            Charge("main", "a", NOW.replace(minute=0), 0.2),
        ]

        accounts = Accounts(
            {"hour": QUARTER, "month": SharedBudget(max_usd=1.0, per="month")}, charges
        )

        assert {("hour", ""): pytest.approx(0.05), ("month", ""): pytest.approx(0.3)} == left_usd(
            accounts
        )


@given(st.lists(st.tuples(st.floats(0.0, 0.2), st.floats(0.0, 1.0)), max_size=30), st.randoms())
def test_spent_and_held_never_exceed_the_budget(requests, random):
    accounts, running = Accounts({"team": QUARTER}), []
    for usd, share in requests:
        try:
            running.append((hold(accounts, usd), share))
        except BudgetSpentError:
            assert 1e-9 > left_usd(accounts)["team", ""]
        if running and random.random() < 0.5:
            held, part = running.pop(random.randrange(len(running)))
            held.settle(held.usd * part)
        (account,) = accounts.states(NOW)
        assert account.spent_usd + account.held_usd <= QUARTER.max_usd + 1e-9
