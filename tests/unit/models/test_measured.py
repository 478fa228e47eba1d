"""Every call to a model leaves its figures, however it ends: nobody's spend is missing."""

import asyncio

import pytest

from services.models.asked import Attempt
from services.models.listening import Listener
from services.runtime import figures
from tests.figures import by, figure, measuring, points
from tests.unit.models.rosters import asking
from tests.upstream import Reply

PRICE = {"input_usd_per_mtok": 1e6, "output_usd_per_mtok": 1e6}


@pytest.fixture(autouse=True)
def _measuring():
    with measuring():
        yield


async def test_an_answer_leaves_time_tokens_and_cost():
    async with asking(price=PRICE, provider="google") as (_, put):
        await put()
    [(of, took)] = points(figures.MODEL_DURATION)
    tokens = {told["gen_ai.token.type"]: value for told, value in points(figures.MODEL_TOKENS)}

    assert of == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "m",
        "gremium.model": "m",
    }
    assert (1, 10, 2) == (took.count, tokens["input"].total, tokens["output"].total)
    assert 12.0 == figure(figures.MODEL_COST, model="m")
    assert 1 == figure(figures.MODEL_CALLS, status="answered")
    assert 1 == figure(figures.MODEL_WAIT)


@pytest.mark.parametrize(
    ("model", "status", "reason", "timeout_s"),
    [
        ("http-500", "failed", "HTTP_STATUS", 10.0),
        ("http-429", "failed", "RATE_LIMITED", 10.0),
        ("invalid-json", "failed", "INVALID_REPLY", 10.0),
        ("hang", "timed_out", "TIMED_OUT", 0.3),
    ],
)
async def test_a_failure_leaves_its_reason(model, status, reason, timeout_s):
    async with asking(model=model, retry={"max_attempts": 1}) as (_, put):
        await put(timeout_s=timeout_s)

    assert 1 == figure(figures.MODEL_CALLS, status=status, reason=reason)
    assert {reason: 1} == by(figures.MODEL_DURATION, "error.type")


async def test_each_attempt_is_a_call_of_its_own():
    script = {"m": [Reply(status=500), Reply("4")]}
    async with asking(script, retry={"backoff_s": 0.001}) as (_, put):
        await put()

    assert {"failed": 1, "answered": 1} == by(figures.MODEL_CALLS, "gremium.status")


async def test_a_call_that_was_not_let_through_has_a_reason_and_no_time():
    breaker, once = {"min_calls": 1, "window": 1}, {"max_attempts": 1}
    async with asking(model="http-500", breaker=breaker, retry=once) as (_, put):
        await put()
        await put()

    assert 1 == figure(figures.MODEL_CALLS, status="skipped", reason="BREAKER_OPEN")
    assert {"HTTP_STATUS"} == by(figures.MODEL_DURATION, "error.type").keys()


async def test_a_call_that_was_stopped_cost_what_its_prompt_did():
    async with asking(model="hang", price=PRICE) as (server, put):
        call = asyncio.create_task(put(attempt=Attempt()))
        await server.until(lambda: server.running == 1)
        call.cancel("DECIDED")
        with pytest.raises(asyncio.CancelledError):
            await call

    assert 1 == figure(figures.MODEL_CALLS, status="cancelled", reason="DECIDED")
    assert 0 < figure(figures.MODEL_COST)
    assert [] == points(figures.MODEL_DURATION)


async def test_the_loser_of_a_hedge_is_counted():
    script = {"m": [Reply(hang=True), Reply("4")]}
    async with asking(script, hedge={}) as (_, put):
        for _ in range(20):
            put.roster.get("m").guard.latency.add(0.05)
        await put()

    assert 1 == figure(figures.MODEL_CALLS, status="cancelled", reason="HEDGE_LOST")
    assert 1 == figure(figures.MODEL_CALLS, status="answered")


async def test_a_stream_leaves_the_time_to_its_first_piece():
    reply = Reply("one two three four", delay_s=0.1, token_delay_s=0.1)
    async with asking({"m": reply}) as (_, put):
        await put(attempt=Attempt(listener=Listener([].append)))
    [(_, first)], [(_, whole)] = points(figures.FIRST_CHUNK), points(figures.MODEL_DURATION)

    assert 0.1 < first.total < whole.total - 0.2


async def test_without_a_stream_nothing_is_said_of_a_first_piece():
    async with asking() as (_, put):
        await put()

    assert [] == points(figures.FIRST_CHUNK)


async def test_usage_that_nobody_knows_of_is_not_counted():
    async with asking(model="http-500", retry={"max_attempts": 1}) as (_, put):
        await put()

    assert [] == points(figures.MODEL_TOKENS)
