"""A failed call is made again where that may help, is paid, and is told of."""

import asyncio

import pytest

from gremium.v1 import manifest_pb2
from services.core.answers import Status
from services.core.deadline import Deadline
from services.core.lease import Lease, Purse
from services.models.asked import Attempt
from services.models.asking import ask, cancelled, participation_to_wire
from services.models.listening import Listener
from services.models.pricing import dearest
from tests.unit.models.rosters import asking, request, roster_of
from tests.upstream import Reply

OK, DOWN = Reply("4"), Reply(status=500)
PRICE = {"input_usd_per_mtok": 1e6, "output_usd_per_mtok": 1e6}


async def test_a_failure_is_made_good_by_a_second_call():
    async with asking({"m": [DOWN, OK]}) as (server, put):
        asked = await put()

    assert (Status.ANSWERED, 2, 2) == (asked.status, asked.model_calls, server.calls)
    assert ["HTTP_STATUS", ""] == [end.reason for end in asked.attempts]
    assert asked.duration_s < 0.5


async def test_one_call_has_no_list_of_attempts():
    async with asking() as (_, put):
        assert () == (await put()).attempts


async def test_no_more_attempts_than_are_configured():
    retry = {"max_attempts": 3, "budget_floor_per_s": 10.0}
    async with asking({"m": DOWN}, retry=retry) as (server, put):
        asked = await put()

    assert (Status.FAILED, 3, 3) == (asked.status, asked.model_calls, server.calls)


@pytest.mark.parametrize("model", ["http-401", "http-429", "invalid-json", "cut-off"])
async def test_only_what_may_help_is_tried_again(model):
    async with asking(model=model) as (server, put):
        await put()

    assert (2 if model == "cut-off" else 1) == server.calls


async def test_what_was_heard_is_not_said_twice():
    heard = []
    reply = Reply("one two three four", cut_after=2)
    async with asking({"m": [reply, OK]}) as (server, put):
        asked = await put(attempt=Attempt(listener=Listener(heard.append)))

    assert (Status.FAILED, 1) == (asked.status, server.calls)
    assert "one two" == "".join(heard).strip()


async def test_the_cost_of_all_calls_counts():
    async with asking({"m": [Reply(cut_off=True), OK]}, price=PRICE) as (_, put):
        asked = await put()

    first, second = asked.attempts
    assert asked.usage_estimated
    assert asked.cost_usd == pytest.approx(first.cost_usd + second.cost_usd)
    assert asked.usage == first.usage + second.usage
    assert first.cost_usd > 0.0


async def with_purse(lease):
    """What came of a call that was taken out of a purse and failed, and what the purse holds."""
    purse = Purse(lease)
    async with asking({"m": [DOWN, OK]}, price=PRICE) as (server, _):
        entry = {"base_url": server.url, "model": "m", "price": PRICE}
        async with roster_of({"m": entry}) as roster:
            limits = {"deadline": Deadline.after(5), "timeout_s": 5}
            assert purse.take(dearest(request(), roster.get("m").spec))
            asked = await ask(roster.get("m"), request(), purse=purse, **limits)
    return asked, purse.left, server.calls


async def test_a_retry_that_is_not_affordable_is_not_made():
    asked, left, calls = await with_purse(Lease(model_calls=1))

    assert (Status.FAILED, 1, 0) == (asked.status, calls, left.model_calls)


async def test_a_retry_costs_the_purse_what_it_cost():
    asked, left, calls = await with_purse(Lease(model_calls=2, cost_usd=1500.0, tokens=1500))

    assert (Status.ANSWERED, 2, 0) == (asked.status, calls, left.model_calls)
    assert 1500 - asked.usage.total_tokens == left.tokens
    assert 1500.0 - asked.cost_usd == pytest.approx(left.cost_usd)


async def test_a_retry_without_time_is_not_slept_for():
    slow = {"max_attempts": 2, "backoff_s": 60.0, "max_wait_s": 60.0}
    async with asking({"m": [DOWN, OK]}, retry=slow) as (server, put):
        asked = await put(timeout_s=0.5)

    assert asked.duration_s < 0.5 or server.calls == 2
    assert asked.status is not Status.TIMED_OUT


async def test_a_retry_that_is_cut_off_costs_both_calls():
    attempt = Attempt()
    async with asking({"m": [Reply(cut_off=True), Reply(hang=True)]}, price=PRICE) as (server, put):
        call = asyncio.create_task(put(attempt=attempt))
        await server.until(lambda: server.calls == 2)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    async with roster_of({"m": {"model": "m", "price": PRICE}}) as roster:
        asked = cancelled(roster.get("m"), request(), attempt)

    assert (Status.CANCELLED, 2) == (asked.status, asked.model_calls)
    assert [Status.FAILED, Status.CANCELLED] == [end.status for end in asked.attempts]


async def test_a_dead_model_is_left_alone_after_a_few_calls():
    async with asking({"m": DOWN}) as (server, put):
        ends = [await put() for _ in range(30)]

    assert server.calls <= 6
    assert (Status.SKIPPED, "BREAKER_OPEN", 0) == (
        ends[-1].status,
        ends[-1].reason,
        ends[-1].model_calls,
    )
    assert ends[-1].duration_s < 0.02


async def test_a_rate_limited_model_is_skipped_at_once_until_it_may_be_asked():
    limited = Reply(status=429, headers={"Retry-After": "47"})
    async with asking({"m": [limited, OK]}) as (server, put):
        first, second = await put(), await put()

    assert (Status.FAILED, "RATE_LIMITED") == (first.status, first.reason)
    assert (Status.SKIPPED, "THROTTLED", 1) == (second.status, second.reason, server.calls)
    assert first.duration_s + second.duration_s < 0.5


async def test_a_reply_that_says_that_nothing_is_left_stops_the_next_call():
    headers = {"ratelimit-remaining": "0", "ratelimit-reset": "30"}
    async with asking({"m": Reply("4", headers=headers)}) as (server, put):
        first, second = await put(), await put()

    assert (Status.ANSWERED, "THROTTLED", 1) == (first.status, second.reason, server.calls)


async def test_milliseconds_to_wait_are_understood():
    headers = {"retry-after-ms": "30", "Retry-After": "1"}
    async with asking({"m": [Reply(status=429, headers=headers), OK]}) as (_, put):
        await put()
        await asyncio.sleep(0.05)

        assert Status.ANSWERED is (await put()).status


@pytest.mark.parametrize(
    ("timeouts", "reply", "reason"),
    [
        ({"first_token_s": 0.2}, Reply(hang=True), "FIRST_TOKEN_LATE"),
        ({"between_tokens_s": 0.2}, Reply("a b c d", token_delay_s=0.6), "TOKEN_LATE"),
        ({"first_token_s": 0.2}, Reply("a b", token_delay_s=0.6), "FIRST_TOKEN_LATE"),
    ],
)
async def test_a_late_token_ends_the_call(timeouts, reply, reason):
    async with asking({"m": reply}, timeouts=timeouts) as (server, put):
        asked = await put()
        await server.until(lambda: server.disconnects == 1)

    assert (Status.TIMED_OUT, reason) == (asked.status, asked.reason)
    assert asked.duration_s < 1.5


async def test_tokens_in_time_may_take_longer_than_each_limit():
    limits = {"first_token_s": 0.4, "between_tokens_s": 0.4}
    async with asking({"m": Reply("a b c d e f", token_delay_s=0.1)}, timeouts=limits) as (_, put):
        asked = await put()

    assert (Status.ANSWERED, "a b c d e f") == (asked.status, asked.reply.text)
    assert asked.duration_s > 0.4


async def test_the_attempts_are_told_in_the_manifest():
    async with asking({"m": [DOWN, OK]}) as (_, put):
        asked = await put()
        async with roster_of({"m": {"model": "m"}}) as roster:
            part = participation_to_wire(
                asked, stage=manifest_pb2.STAGE_JURY, name="j", model=roster.get("m"), tier="t"
            )

    failed, answered = part.attempts
    assert manifest_pb2.PARTICIPATION_STATUS_FAILED == failed.status
    assert ("HTTP_STATUS", "") == (failed.reason, answered.reason)
    assert failed.start_time.ToNanoseconds() <= answered.start_time.ToNanoseconds()
