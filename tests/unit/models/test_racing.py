"""A second call beside a slow one: only where it may be, and the loser is stopped, paid and told."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from services.core.answers import Status
from services.core.deadline import Deadline
from services.core.lease import Lease, Purse
from services.models.asked import Attempt
from services.models.asking import ask, cancelled
from services.models.listening import Listener
from services.models.pricing import dearest
from services.runtime import telemetry
from services.runtime.callers import current_caller
from tests.unit.models.rosters import asking, request
from tests.upstream import Reply

OK, HUNG, DOWN = Reply("4"), Reply(hang=True), Reply(status=500)
PRICE = {"input_usd_per_mtok": 1e6, "output_usd_per_mtok": 1e6}
USUAL_S = 0.1
NO_RETRY = {"max_attempts": 1}


@asynccontextmanager
async def hedging(*replies, hedge=True, usual_s=USUAL_S, **spec):
    """A model that usually answers within `usual_s`, and replies like this from now on."""
    script, more = {"m": list(replies)}, {"hedge": {}} if hedge else {}
    async with asking(script, price=PRICE, **more, **spec) as (server, put):
        guard = put.roster.get("m").guard
        for _ in range(20):
            guard.latency.add(usual_s)
        yield server, put, guard


def told(asked):
    return [(end.hedge, end.status, end.reason) for end in asked.attempts]


ANSWERED = (Status.ANSWERED, "")
LOST = (Status.CANCELLED, "HEDGE_LOST")


async def test_a_second_call_answers_for_a_slow_one():
    async with hedging(HUNG, OK) as (server, put, guard):
        asked = await put()
        await server.until(lambda: server.disconnects == 1)

        assert (Status.ANSWERED, 2, 2) == (asked.status, asked.model_calls, server.calls)
        assert [(False, *LOST), (True, *ANSWERED)] == told(asked)
        assert USUAL_S < asked.duration_s < USUAL_S + 0.5
        assert (1, 0, 0) == (guard.state().hedges, guard.state().in_flight, guard.state().failures)


async def test_the_first_call_wins_if_it_answers_first():
    async with hedging(Reply("first", delay_s=0.3), HUNG) as (server, put, _):
        asked = await put()
        await server.until(lambda: server.disconnects == 1)

    assert ("first", 2) == (asked.reply.text, asked.model_calls)
    assert [(False, *ANSWERED), (True, *LOST)] == told(asked)


async def test_the_loser_costs_what_it_may_have_cost():
    async with hedging(HUNG, OK) as (_, put, _):
        asked = await put()

    lost, won = asked.attempts
    assert asked.usage_estimated
    assert lost.cost_usd > 0.0
    assert asked.cost_usd == pytest.approx(lost.cost_usd + won.cost_usd)
    assert asked.usage == lost.usage + won.usage


async def test_a_call_in_its_usual_time_is_left_alone():
    async with hedging(OK) as (server, put, guard):
        asked = await put()

    assert (1, 0, ()) == (server.calls, guard.state().hedges, asked.attempts)


async def refuses(put, **limits):
    """How a question ends that is not asked a second time."""
    asked = await put(timeout_s=0.4, **limits)
    assert (Status.TIMED_OUT, 1, ()) == (asked.status, asked.model_calls, asked.attempts)


async def test_nobody_is_asked_twice_unless_it_is_configured():
    async with hedging(HUNG, OK, hedge=False) as (server, put, _):
        await refuses(put)

        assert 1 == server.calls


async def test_nobody_is_asked_twice_while_too_little_is_known():
    async with asking({"m": [HUNG, OK]}, hedge={}) as (server, put):
        await refuses(put)

        assert 1 == server.calls


def throttled(guard):
    guard.throttle.refused(30.0)


def failing(guard):
    for _ in range(5):
        guard.breaker.ended(failed=True, probe=False)


def spent(guard):
    guard.hedging.hedged()


@pytest.mark.parametrize("happens", [throttled, failing, spent])
async def test_nobody_is_asked_twice_when(happens):
    async with hedging(HUNG, OK) as (server, put, guard):
        call = asyncio.create_task(refuses(put))
        await server.until(lambda: server.running == 1)
        happens(guard)
        before = guard.state().hedges
        await call

        assert (1, before) == (server.calls, guard.state().hedges)


async def test_a_full_model_is_not_asked_twice():
    async with hedging(HUNG, OK, max_concurrent=1) as (server, put, guard):
        await refuses(put)

        assert (1, 0) == (server.calls, guard.state().hedges)


async def test_a_second_call_takes_no_place_that_another_wants():
    """The place is gone between the decision and the call."""
    async with hedging(HUNG, OK, max_concurrent=2, retry=NO_RETRY) as (server, put, guard):
        taken = asyncio.Event()
        allow = guard.may_hedge

        def then_taken(caller, until):
            allowed = allow(caller, until)
            guard.gate.in_flight += 1
            taken.set()
            return allowed

        guard.may_hedge = then_taken
        await refuses(put)

        assert taken.is_set()
        assert 1 == server.calls


async def test_a_probe_is_not_made_twice():
    breaker = {"open_s": 0.05, "min_calls": 1, "window": 1}
    async with hedging(DOWN, HUNG, OK, breaker=breaker, retry=NO_RETRY) as (server, put, _):
        await put()
        await asyncio.sleep(0.06)
        await refuses(put)

        assert 2 == server.calls


async def test_nobody_is_asked_twice_without_the_time_for_an_answer():
    async with hedging(HUNG, OK) as (server, put, _):
        asked = await put(timeout_s=1.5 * USUAL_S)

    assert (Status.TIMED_OUT, 1) == (asked.status, server.calls)


async def test_a_share_of_the_calls_is_made_twice():
    slow = Reply("4", delay_s=0.03)
    hedge = {"quantile": 0.5, "max_share": 0.1}
    async with asking({"m": slow}, hedge=hedge) as (server, put):
        guard = put.roster.get("m").guard
        for _ in range(20_000):
            guard.latency.add(0.001)
        for _ in range(40):
            await put()

    assert (5, 45) == (guard.state().hedges, server.calls)


async def purse_after(lease, *replies):
    async with hedging(*replies) as (server, put, _):
        model, purse = put.roster.get("m"), Purse(lease)
        assert purse.take(dearest(request(), model.spec))
        asked = await ask(model, request(), deadline=Deadline.after(5), timeout_s=0.5, purse=purse)
    return asked, purse.left, server.calls


async def test_a_second_call_that_is_not_affordable_is_not_made():
    asked, left, calls = await purse_after(Lease(model_calls=1), HUNG, OK)

    assert (Status.TIMED_OUT, 1, 0) == (asked.status, calls, left.model_calls)


@pytest.mark.parametrize("replies", [(HUNG, OK), (Reply("4", delay_s=0.3), HUNG)])
async def test_both_calls_cost_the_purse_what_they_cost(replies):
    lease = Lease(model_calls=3, cost_usd=5000.0, tokens=5000)
    asked, left, calls = await purse_after(lease, *replies)

    assert (Status.ANSWERED, 2, 1) == (asked.status, calls, left.model_calls)
    assert 5000 - asked.usage.total_tokens == left.tokens
    assert 5000.0 - asked.cost_usd == pytest.approx(left.cost_usd)


async def test_a_failure_leaves_the_other_call_its_time():
    late_failure = Reply(status=500, delay_s=0.2)
    async with hedging(late_failure, Reply("4", delay_s=0.3)) as (server, put, _):
        asked = await put()

    assert (Status.ANSWERED, 2) == (asked.status, server.calls)
    assert [(False, Status.FAILED, "HTTP_STATUS"), (True, *ANSWERED)] == told(asked)


async def test_a_second_call_that_fails_is_no_end():
    async with hedging(Reply("4", delay_s=0.3), DOWN) as (server, put, _):
        asked = await put()

    assert (Status.ANSWERED, 2) == (asked.status, server.calls)
    assert [(False, *ANSWERED), (True, Status.FAILED, "HTTP_STATUS")] == told(asked)


async def test_both_calls_count_as_attempts():
    late_failure = Reply(status=500, delay_s=0.2)
    async with hedging(late_failure, DOWN, OK) as (server, put, _):
        asked = await put()

    assert (Status.FAILED, 2, 2) == (asked.status, asked.model_calls, server.calls)
    assert [False, True] == [end.hedge for end in asked.attempts]


async def test_a_question_that_is_cancelled_stops_and_costs_both_calls():
    attempt = Attempt()
    async with hedging(HUNG, HUNG) as (server, put, guard):
        call = asyncio.create_task(put(attempt=attempt))
        await server.until(lambda: server.running == 2)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        asked = cancelled(put.roster.get("m"), request(), attempt)
        await server.until(lambda: server.disconnects == 2)

        assert 0 == guard.state().in_flight
    assert (Status.CANCELLED, 2) == (asked.status, asked.model_calls)
    assert [(hedge, Status.CANCELLED, "CANCELLED") for hedge in (False, True)] == told(asked)
    assert asked.cost_usd == pytest.approx(2 * asked.attempts[0].cost_usd)


async def heard_of(put):
    heard = []
    return await put(attempt=Attempt(listener=Listener(heard.append))), "".join(heard)


async def test_a_stream_that_was_heard_is_not_asked_again():
    slow = Reply("one two three", token_delay_s=0.25)
    async with hedging(slow, OK, usual_s=0.5) as (server, put, _):
        asked, heard = await heard_of(put)

    assert ("one two three", 1) == (asked.reply.text, server.calls)
    assert "one two three" == heard


async def test_only_the_call_that_speaks_first_is_heard():
    first = Reply("never to be heard", token_delay_s=0.3)
    async with hedging(first, Reply("one two three", token_delay_s=0.05)) as (server, put, _):
        asked, heard = await heard_of(put)
        await server.until(lambda: server.disconnects == 1)

    assert ("one two three", "one two three") == (asked.reply.text, heard)
    assert [(False, *LOST), (True, *ANSWERED)] == told(asked)


async def test_a_first_call_that_speaks_at_last_stops_the_second():
    second = Reply("never to be heard", token_delay_s=1.0)
    async with hedging(Reply("one two", token_delay_s=0.2), second) as (server, put, _):
        asked, heard = await heard_of(put)
        await server.until(lambda: server.disconnects == 1)

    assert ("one two", "one two") == (asked.reply.text, heard)
    assert [(False, *ANSWERED), (True, *LOST)] == told(asked)


async def test_a_second_call_that_was_heard_and_breaks_off_is_the_end():
    cut = Reply("one two three four", cut_after=2)
    async with hedging(HUNG, cut, OK) as (server, put, _):
        asked, heard = await heard_of(put)

    assert (Status.FAILED, 2) == (asked.status, server.calls)
    assert "one two" == heard.strip()
    assert [LOST, (Status.FAILED, asked.reason)] == [end[1:] for end in told(asked)]


async def test_the_losers_span_says_that_it_lost(exporter):
    async with hedging(HUNG, OK) as (_, put, _):
        with telemetry.tracer().start_as_current_span("caller"):
            asked = await put()

    spans = {f"{s.context.span_id:016x}": s for s in exporter.get_finished_spans()}
    lost, won = (spans[end.span_id] for end in asked.attempts)
    assert "HEDGE_LOST" == lost.attributes["gremium.cancel.reason"]
    assert lost.status.is_unset
    assert "gremium.cancel.reason" not in won.attributes
    assert asked.span_id == asked.attempts[1].span_id


async def test_slow_calls_stay_known_though_they_are_stopped():
    async with hedging(HUNG, OK) as (_, put, guard):
        await put()

        assert guard.latency_s(1.0) > 1.05 * USUAL_S


async def test_a_call_is_slow_from_when_it_had_its_turn():
    async with hedging(HUNG, OK, max_concurrent=2) as (_, put, guard):
        for _ in range(2):
            await guard.gate.enter(current_caller())
        call = asyncio.create_task(put())
        await asyncio.sleep(3 * USUAL_S)
        for _ in range(2):
            guard.gate.leave(current_caller())
        asked = await call

    assert (Status.ANSWERED, 2) == (asked.status, asked.model_calls)
    assert asked.duration_s > 4 * USUAL_S


async def test_a_stopped_call_says_nothing_against_its_model():
    async with hedging(HUNG, OK) as (_, put, guard):
        await put()

        assert (0, 32) == (guard.state().failures, guard.state().limit)
