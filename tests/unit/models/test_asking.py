"""However a call ends, it is told, timed and paid for; and its socket is closed."""

import asyncio
import logging
from dataclasses import replace

import pytest

from gremium.v1 import manifest_pb2
from services.core.answers import Status, Usage
from services.core.deadline import Deadline
from services.core.prompts import Image, Message, Prompt, Tool
from services.models.asked import Attempt
from services.models.asking import ask, cancelled, participation_to_wire
from tests.unit.models.rosters import ModelRequest, asking, request, roster_of
from tests.upstream import Reply

KEY = "sk-very-secret-0123456789"
PRICE = {"input_usd_per_mtok": 1e6, "output_usd_per_mtok": 1e6}


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("http-500", "HTTP_STATUS"),
        ("http-429", "RATE_LIMITED"),
        ("http-401", "AUTHENTICATION"),
        ("invalid-json", "INVALID_REPLY"),
        ("html", "INVALID_REPLY"),
        ("no-choices", "INVALID_REPLY"),
        ("cut-off", "CONNECTION"),
    ],
)
async def test_failures_have_a_reason(model, reason):
    async with asking(model=model, retry={"max_attempts": 1}) as (_, put):
        asked = await put()

    assert (Status.FAILED, reason, 1) == (asked.status, asked.reason, asked.model_calls)
    assert asked.reason_text


@pytest.mark.parametrize(
    ("model", "billed"),
    [("http-500", False), ("http-429", False), ("invalid-json", True), ("cut-off", True)],
)
async def test_failures_cost_what_may_be_billed(model, billed):
    async with asking(model=model, price=PRICE) as (_, put):
        asked = await put()

    assert (billed, billed) == (asked.usage_estimated, asked.cost_usd > 0.0)


async def test_a_dead_model_costs_nothing():
    async with roster_of({"m": {"model": "m", "base_url": "http://127.0.0.1:9/v1"}}) as roster:
        asked = await ask(roster.get("m"), request(), deadline=Deadline.after(5), timeout_s=5)

    assert (Status.FAILED, "CONNECTION") == (asked.status, asked.reason)
    assert (0, Usage()) == (asked.model_calls, asked.usage)


async def test_an_empty_reply_is_an_answer_for_the_jury_to_refuse():
    async with asking(model="empty") as (_, put):
        asked = await put()

    assert (Status.ANSWERED, "") == (asked.status, asked.reply.text)
    assert asked.usage.total_tokens > 0


async def test_a_hung_model_times_out_and_its_socket_is_closed():
    async with asking(model="hang", price=PRICE) as (server, put):
        asked = await put(timeout_s=0.2)
        await server.until(lambda: server.disconnects == 1)

    assert (Status.TIMED_OUT, "TIMED_OUT", 1) == (asked.status, asked.reason, asked.model_calls)
    assert 0.2 <= asked.duration_s < 2.0
    assert asked.usage_estimated
    assert asked.cost_usd > 0.0


async def test_cancelling_closes_the_socket():
    async with asking(model="hang") as (server, put):
        call = asyncio.create_task(put())
        await server.until(lambda: server.running == 1)
        call.cancel()
        await server.until(lambda: server.disconnects == 1)

    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_cancelled_call_costs_its_prompt():
    async with roster_of({"m": {"model": "m", "price": PRICE}}) as roster:
        asked = cancelled(roster.get("m"), request(), Attempt(sent=True))

    assert (Status.CANCELLED, 1, True) == (asked.status, asked.model_calls, asked.usage_estimated)
    assert asked.cost_usd == asked.usage.input_tokens


async def test_a_call_cancelled_before_its_turn_costs_nothing():
    attempt = Attempt()
    async with asking(model="hang", max_concurrent=1, price=PRICE) as (server, put):
        first = asyncio.create_task(put())
        await server.until(lambda: server.running == 1)
        waiting = asyncio.create_task(put(attempt=attempt))
        await asyncio.sleep(0.05)
        waiting.cancel()
        first.cancel()

    async with roster_of({"m": {"model": "m", "price": PRICE}}) as roster:
        asked = cancelled(roster.get("m"), request(), attempt)

    assert (Status.CANCELLED, 0, 0.0) == (asked.status, asked.model_calls, asked.cost_usd)


async def test_a_spent_deadline_asks_nobody():
    async with asking() as (server, put):
        asked = await put(left_s=0.0)

        assert (Status.TIMED_OUT, 0, 0) == (asked.status, asked.model_calls, server.calls)


async def test_no_more_calls_run_than_are_allowed():
    async with asking({"m": Reply(delay_s=0.05)}, max_concurrent=2) as (server, put):
        results = await asyncio.gather(*(put() for _ in range(6)))

        assert {Status.ANSWERED} == {asked.status for asked in results}
        assert 2 == server.most_running


async def test_waiting_for_a_slot_is_inside_the_timeout_and_free():
    async with asking(model="hang", max_concurrent=1, price=PRICE) as (server, put):
        first = asyncio.create_task(put(timeout_s=5.0))
        await server.until(lambda: server.running == 1)
        asked = await put(timeout_s=0.1)
        first.cancel()

        assert (Status.TIMED_OUT, 0, 0.0) == (asked.status, asked.model_calls, asked.cost_usd)
        assert "slots" in asked.reason_text
        assert 1 == server.calls


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param(Prompt((Message("user", ("Hi",)),), tools=(Tool("now"),)), id="tools"),
        pytest.param(Prompt((Message("user", (Image(url="https://a/b.png"),)),)), id="images"),
    ],
)
async def test_a_model_is_not_asked_what_it_cannot_do(prompt):
    async with asking(tools=False, images=False) as (server, put):
        asked = await put(ModelRequest(prompt))

        assert (Status.SKIPPED, "UNSUPPORTED", 0) == (asked.status, asked.reason, server.calls)


async def test_a_missing_key_is_named_and_nothing_is_sent(monkeypatch):
    monkeypatch.delenv("GREMIUM_TEST_KEY", raising=False)
    async with asking(api_key_env="GREMIUM_TEST_KEY") as (server, put):
        asked = await put()

        assert (Status.FAILED, "AUTHENTICATION", 0) == (asked.status, asked.reason, server.calls)
        assert "GREMIUM_TEST_KEY" in asked.reason_text
        assert 0 == asked.model_calls


async def test_a_key_is_sent_but_never_told(monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("GREMIUM_TEST_KEY", f" {KEY}\n")
    echo = b'{"error": {"message": "bad key ' + KEY.encode() + b" " + b"x" * 5000 + b'"}}'
    script = {"m": Reply(status=401, body=echo)}
    async with asking(script, api_key_env="GREMIUM_TEST_KEY") as (server, put):
        asked = await put()

        assert f"Bearer {KEY}" == server.headers[0]["Authorization"]
    assert KEY not in asked.reason_text + caplog.text
    assert len(asked.reason_text) < 400


async def test_a_redirect_is_not_followed():
    reply = Reply(status=307, headers={"Location": "http://127.0.0.1:9/"})
    async with asking({"m": reply}) as (server, put):
        asked = await put()

        assert ("HTTP_STATUS", 1) == (asked.reason, server.calls)


async def test_an_answer_that_the_contract_cannot_carry_is_a_failure():
    async with asking({"m": Reply("x" * 1_048_577)}) as (_, put):
        asked = await put()

    assert (Status.FAILED, "INVALID_REPLY", None) == (asked.status, asked.reason, asked.reply)
    assert asked.usage.total_tokens > 0


async def test_a_bug_in_an_adapter_is_one_models_failure(caplog):
    class Broken:
        async def generate(self, request, *, deadline, listener=None):
            return {}["missing"]

    async with roster_of({"m": {"model": "m"}}) as roster:
        model = replace(roster.get("m"), backend=Broken())
        asked = await ask(model, request(), deadline=Deadline.after(5), timeout_s=5)

    assert (Status.FAILED, "INTERNAL") == (asked.status, asked.reason)
    assert "KeyError" in caplog.text


async def test_a_participation_tells_who_and_how():
    async with asking({"m": Reply(served_model="m-2")}, provider="acme") as (_, put):
        asked = await put()
        async with roster_of({"m": {"model": "m", "provider": "acme"}}) as roster:
            told = participation_to_wire(
                asked, stage=manifest_pb2.STAGE_JURY, name="j", model=roster.get("m"), tier="t"
            )

    assert ("j", "m", "m", "m-2", "acme", "test", "t") == (
        told.name,
        told.model,
        told.requested_model,
        told.served_model,
        told.provider,
        told.family,
        told.tier,
    )
    assert manifest_pb2.PARTICIPATION_STATUS_ANSWERED == told.status
    assert (10, 2, 1) == (told.usage.input_tokens, told.usage.output_tokens, told.model_calls)
    assert told.duration.ToMilliseconds() >= 0
