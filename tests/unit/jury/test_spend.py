"""A jury spends what its lease pays, and forgets nobody's spend."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from jury_svc.case import Case, Juror
from jury_svc.quorum import Stop
from services.config.tree import Price
from services.core.answers import Status
from services.core.lease import Lease
from services.core.prompts import Params
from tests.unit.jury.scripted import QUESTION, Scripted, case, fails, hangs, hear, juror, statuses
from tests.unit.models.rosters import roster_of
from tests.upstream import Reply, upstream

PRICE_OF_A_MTOK = {"input_usd_per_mtok": 2.0, "output_usd_per_mtok": 10.0}


async def test_the_spend_of_everyone_counts():
    lease = Lease(cost_usd=1.0, model_calls=10, tokens=1000)
    asked = case(Scripted(), fails(), hangs(), quorum=1, grace_s=0.05, lease=lease)

    hearing = await hear(asked)

    cut = hearing.settled[2].asked
    assert cut.usage.input_tokens > 0
    assert cut.usage_estimated
    spent = [end.asked for end in hearing.settled]
    assert [1, 2, 1] == [call.model_calls for call in spent]
    assert hearing.unspent == lease.less(
        cost_usd=sum(call.cost_usd for call in spent),
        model_calls=4,
        tokens=sum(call.usage.total_tokens for call in spent),
    )
    assert cut.cost_usd > 0.0


async def test_a_timed_out_juror_costs_too():
    asked = case(hangs(), timeout_s=0.05, lease=Lease(model_calls=1, tokens=1000))

    hearing = await hear(asked)

    assert 0 == hearing.unspent.model_calls
    assert hearing.unspent.tokens < 1000


async def test_a_small_lease_asks_only_the_first_jurors():
    last = Scripted()
    asked = case(Scripted(), Scripted(), last, quorum=2, grace_s=5.0, lease=Lease(model_calls=2))

    hearing = await hear(asked)

    assert [Status.ANSWERED, Status.ANSWERED, Status.SKIPPED] == statuses(hearing)
    assert ("BUDGET_SPENT", 0) == (
        hearing.settled[2].asked.reason,
        hearing.settled[2].asked.model_calls,
    )
    assert ([], 0) == (last.requests, hearing.unspent.model_calls)


@pytest.mark.parametrize(
    "lease",
    [Lease(model_calls=1), Lease(model_calls=0), Lease(tokens=0), Lease(cost_usd=0.0)],
    ids=str,
)
async def test_a_lease_that_pays_no_quorum_asks_nobody(lease):
    first = Scripted()

    hearing = await hear(case(first, Scripted(), quorum=2, lease=lease))

    assert [Status.SKIPPED, Status.SKIPPED] == statuses(hearing)
    assert (False, Stop.QUORUM_IMPOSSIBLE) == (hearing.quorum_met, hearing.stop)
    assert ([], lease) == (first.requests, hearing.unspent)


async def test_without_money_the_free_jurors_are_asked():
    paid, free = Scripted(), Scripted()
    asked = case(paid, lease=Lease(cost_usd=0.0))
    jurors = (*asked.jurors, juror("free", free, price=Price()))

    hearing = await hear(replace(asked, jurors=jurors))

    assert [Status.SKIPPED, Status.ANSWERED] == statuses(hearing)
    assert "cost_usd" in hearing.settled[0].asked.reason_text
    assert ([], asked.lease) == (paid.requests, hearing.unspent)


async def test_a_juror_that_waited_for_its_turn_costs_nothing_when_it_is_cut_off():
    hung, quick = hangs(), Scripted()
    asked = case(hung, quick)
    busy = asked.jurors[0].model
    waiting = Juror("waiting", busy, "", 60.0)
    gate = busy.guard.gate
    for _ in range(gate.limit.allowed - gate.room.for_newcomers(gate.limit.allowed) - 1):
        await gate.enter("")

    hearing = await hear(replace(asked, jurors=(asked.jurors[0], waiting, asked.jurors[1])))

    cut = hearing.settled[1].asked
    assert [1, 0, 1] == [end.asked.model_calls for end in hearing.settled]
    assert (Status.CANCELLED, 0.0, False) == (cut.status, cut.cost_usd, cut.usage_estimated)


def writes_all_it_may(body):
    used = {"prompt_tokens": QUESTION.tokens, "completion_tokens": body["max_tokens"]}
    return Reply(usage=used)


@asynccontextmanager
async def priced_jury(*, lease, prices=(PRICE_OF_A_MTOK,) * 3, wanted=None, quorum=1):
    """A jury of models behind sockets that each write as much as they may."""
    names = [f"m{n}" for n in range(len(prices))]
    async with upstream(dict.fromkeys(names, writes_all_it_may)) as server:
        models = {
            name: {"base_url": server.url, "model": name, "price": price}
            for name, price in zip(names, prices, strict=True)
        }
        async with roster_of(models) as roster:
            jurors = tuple(Juror(name, roster.get(name), "", 5.0) for name in names)
            prompt = replace(QUESTION, params=Params(max_output_tokens=wanted))
            yield server, Case(prompt, jurors, quorum, 5.0, lease)


@pytest.mark.parametrize("cost_usd", [0.0004, 0.001, 0.01])
async def test_a_cost_lease_is_not_exceeded(cost_usd):
    async with priced_jury(lease=Lease(cost_usd=cost_usd)) as (_, asked):
        hearing = await hear(asked)

    spent = sum(end.asked.cost_usd for end in hearing.settled)
    assert 0.5 * cost_usd < spent <= cost_usd
    assert Status.ANSWERED in statuses(hearing)


async def test_a_token_lease_is_not_exceeded():
    async with priced_jury(lease=Lease(tokens=300), prices=[{}] * 3) as (server, asked):
        hearing = await hear(asked)

    assert [Status.ANSWERED] * 3 == statuses(hearing)
    assert sum(end.asked.usage.total_tokens for end in hearing.settled) <= 300
    assert all(body["max_tokens"] < 100 for body in server.requests)


async def test_a_juror_whose_share_pays_for_no_answer_leaves_it_to_the_others():
    dear = {"input_usd_per_mtok": 15.0, "output_usd_per_mtok": 75.0}
    lease = Lease(cost_usd=0.001)
    async with priced_jury(lease=lease, prices=[PRICE_OF_A_MTOK, dear, {}]) as (server, asked):
        hearing = await hear(asked)

    assert [Status.ANSWERED, Status.SKIPPED, Status.ANSWERED] == statuses(hearing)
    assert "BUDGET_SPENT" == hearing.settled[1].asked.reason
    limits = {body["model"]: body["max_tokens"] for body in server.requests}
    assert limits["m0"] > 60
    assert 1024 == limits["m2"]


async def test_a_large_lease_leaves_the_limits_alone():
    async with priced_jury(lease=Lease(cost_usd=1.0, tokens=10**6), wanted=200) as (server, asked):
        await hear(asked)

    assert [200] * 3 == [body["max_tokens"] for body in server.requests]


async def test_shares_too_small_for_the_quorum_ask_nobody():
    lease = Lease(cost_usd=0.0004)
    async with priced_jury(lease=lease, quorum=3) as (server, asked):
        hearing = await hear(asked)

    assert (0, lease) == (server.calls, hearing.unspent)
    assert {"BUDGET_SPENT"} == {end.asked.reason for end in hearing.settled}
