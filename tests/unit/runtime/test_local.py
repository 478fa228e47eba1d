"""A call in this process keeps the promises of one over gRPC."""

import asyncio
import logging

import pytest

from services.core.deadline import Deadline
from services.core.errors import DeadlineSpentError, InternalError, QuorumNotReachedError
from services.runtime.calls import deadline_from
from services.runtime.local import call_local
from tests.unit.runtime.serving import ROUTER, Router, decided, route

METHOD = f"/{ROUTER}/Route"


async def local(handler, ensemble="", *, left_s=5.0):
    return await call_local(
        handler, route(ensemble), deadline=Deadline.after(left_s), method=METHOD
    )


async def test_a_callee_gets_less_time_than_its_caller_had():
    reply = await local(Router().Route, left_s=2)

    assert 0 < float(reply.decision.reason_text) < 2 * 0.96


async def test_a_spent_deadline_fails_before_the_handler_begins():
    router = Router()
    with pytest.raises(DeadlineSpentError):
        await local(router.Route, left_s=0)

    assert not router.started.is_set()


async def test_a_hung_callee_costs_the_deadline_and_is_stopped():
    router = Router()
    with pytest.raises(DeadlineSpentError):
        await local(router.Route, "hang", left_s=0.1)

    assert router.cancelled.is_set()


async def test_an_error_of_ours_passes():
    with pytest.raises(QuorumNotReachedError, match="1 of 2 needed jurors"):
        await local(Router().Route, "quorum")


async def test_a_bug_reaches_the_log_and_not_the_caller(caplog):
    with caplog.at_level(logging.ERROR), pytest.raises(InternalError) as caught:
        await local(Router().Route, "bug")

    assert "internal error" == str(caught.value)
    assert "secret detail" in caplog.text


async def test_a_timeout_of_the_handlers_own_is_a_bug_and_no_deadline():
    async def impatient(_, context):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(deadline_from(context).left_s)
        return decided("")

    with pytest.raises(InternalError):
        await local(impatient)


async def test_leaving_a_call_stops_its_handler():
    router = Router()
    pending = asyncio.ensure_future(local(router.Route, "hang"))
    await router.started.wait()
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending

    assert router.cancelled.is_set()
