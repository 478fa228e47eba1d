"""A guard lets calls through or refuses them at once, and learns only from what proves something."""

import asyncio
import time

import pytest

from services.config.tree import Model
from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.models import outcome
from services.models.breaker import State
from services.models.gate import RefusedError
from services.models.guard import Guard
from tests.unit.models.clocks import Clock

SPEC = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 60.0}


def guarded(**spec):
    clock = Clock()
    return Guard(Model.model_validate({**SPEC, **spec}), clock=clock), clock


async def end(guard, seen, *, caller="", left_s=10.0):
    async with guard.admitted(caller, Deadline.after(left_s)) as permit:
        permit.outcome = seen


async def refusal(guard, *, left_s=10.0):
    began = time.monotonic()
    with pytest.raises(RefusedError) as caught:
        await end(guard, outcome.SERVED, left_s=left_s)
    assert time.monotonic() - began < 0.05
    return caught.value


def failure(cause="HTTP_STATUS", **more):
    return outcome.failed(BackendError("x", cause=cause, **more))


async def test_a_failing_model_is_refused_and_probed_later():
    guard, clock = guarded()
    for _ in range(5):
        await end(guard, failure(http_status=500))
    refused = await refusal(guard)
    assert ("BREAKER_OPEN", 5.0) == (refused.reason, refused.retry_after_s)

    clock.pass_s(5.0)
    await end(guard, outcome.SERVED)
    assert guard.breaker.state is State.CLOSED


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(outcome.NOTHING, id="stopped by its caller"),
        pytest.param(failure(http_status=400), id="HTTP 400"),
        pytest.param(failure(http_status=404), id="HTTP 404"),
        pytest.param(failure("AUTHENTICATION", http_status=401), id="no key"),
        pytest.param(failure("CASSETTE_MISS"), id="no recording"),
        pytest.param(outcome.timed_out(waited_s=0.5, usual_s=1.0), id="a caller in a hurry"),
    ],
)
async def test_what_proves_nothing_never_opens_the_breaker(seen):
    guard, _ = guarded()
    for _ in range(50):
        await end(guard, seen)

    state = guard.state()
    assert (State.CLOSED, 0, 32) == (state.breaker, state.failures, state.limit)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(failure(http_status=500), id="HTTP 500"),
        pytest.param(failure(http_status=503), id="HTTP 503"),
        pytest.param(failure("CONNECTION"), id="no connection"),
        pytest.param(failure("INVALID_REPLY"), id="no JSON"),
        pytest.param(failure("STREAM_CUT"), id="cut"),
        pytest.param(outcome.timed_out(waited_s=1.5, usual_s=1.0), id="timed out"),
        pytest.param(outcome.LATE, id="late token"),
    ],
)
async def test_what_is_the_models_fault_opens_it(seen):
    guard, _ = guarded()
    for _ in range(5):
        guard.breaker.ended(failed=seen.failed, probe=False)

    assert guard.breaker.state is State.OPEN


async def test_a_cancelled_call_proves_nothing_and_frees_its_place():
    guard, _ = guarded(max_concurrent=1)

    async def hang():
        async with guard.admitted("", Deadline.after(10.0)):
            await asyncio.Event().wait()

    for _ in range(10):
        task = asyncio.create_task(hang())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert (State.CLOSED, 0, 0) == (
        guard.breaker.state,
        guard.breaker.failures,
        guard.gate.in_flight,
    )


async def test_a_rate_limit_is_kept_and_those_who_wait_are_sent_away():
    guard, clock = guarded(max_concurrent=1)
    waiting = []
    async with guard.admitted("", Deadline.after(10.0)) as permit:
        waiting.append(asyncio.create_task(end(guard, outcome.SERVED)))
        await asyncio.sleep(0)
        permit.outcome = failure("RATE_LIMITED", retry_after_s=47.0)
    [told] = await asyncio.gather(*waiting, return_exceptions=True)
    assert "THROTTLED" == told.reason

    clock.pass_s(46.0)
    assert 1.0 == pytest.approx((await refusal(guard)).retry_after_s)
    clock.pass_s(1.0)
    await end(guard, outcome.SERVED)
    assert 0 == guard.breaker.failures


async def test_too_much_lowers_the_limit():
    guard, _ = guarded(max_concurrent=10)
    await end(guard, failure(http_status=503))

    assert 7 == guard.state().limit


async def test_a_turn_that_would_come_too_late_is_refused_at_once():
    guard, _ = guarded(max_concurrent=1)
    for _ in range(20):
        await end(guard, outcome.answered(1.0))
    async with guard.admitted("", Deadline.after(10.0)):
        refused = await refusal(guard, left_s=1.5)

    assert "OVERLOADED" == refused.reason
    assert 1.0 == pytest.approx(refused.retry_after_s, rel=0.1)


async def test_a_free_turn_is_given_whatever_time_there_is():
    guard, _ = guarded()
    for _ in range(20):
        await end(guard, outcome.answered(1.0))
    await end(guard, outcome.answered(0.05), left_s=0.1)

    assert guard.latency_s(0.0) < 1.0


async def test_waiting_ends_with_the_deadline():
    guard, _ = guarded(max_concurrent=1)
    async with guard.admitted("", Deadline.after(10.0)):
        with pytest.raises(TimeoutError):
            await end(guard, outcome.SERVED, left_s=0.05)

    assert (0, 0) == (guard.gate.in_flight, guard.gate.waiting)


async def test_half_open_lets_one_probe_through():
    guard, clock = guarded()
    for _ in range(5):
        await end(guard, failure(http_status=500))
    clock.pass_s(5.0)
    async with guard.admitted("", Deadline.after(10.0)) as permit:
        refused = await refusal(guard)
        permit.outcome = outcome.SERVED

    assert "BREAKER_OPEN" == refused.reason
    await end(guard, outcome.SERVED)


@pytest.mark.parametrize(
    ("seen", "left_s", "pauses"),
    [
        (failure(http_status=500), 10.0, True),
        (failure(http_status=500), 0.0, False),
        (failure(http_status=400), 10.0, False),
        (failure("RATE_LIMITED"), 10.0, False),
        (failure("RATE_LIMITED", retry_after_s=47.0), 100.0, False),
        (failure("RATE_LIMITED", retry_after_s=0.05), 10.0, True),
    ],
)
def test_a_retry_is_made_only_where_it_may_help_in_time(seen, left_s, pauses):
    guard, _ = guarded()
    guard.retries.called()
    pause_s = guard.pause_s(seen, attempts=1, until=Deadline.after(left_s))

    assert pauses is (pause_s is not None)
    assert pause_s is None or pause_s <= 0.1


def test_no_retry_that_usually_takes_longer_than_there_is():
    guard, _ = guarded()
    guard.retries.called()
    for _ in range(20):
        guard.latency.add(2.0)
    seen = failure(http_status=500)

    assert guard.pause_s(seen, attempts=1, until=Deadline.after(1.0)) is None
    assert guard.pause_s(seen, attempts=1, until=Deadline.after(5.0)) is not None


def test_a_call_given_up_when_its_time_was_over_counts_if_it_had_some():
    guard, _ = guarded()
    guard.overdue(0.5)
    assert 0 == guard.breaker.failures

    guard.overdue(1.5)
    assert 1 == guard.breaker.failures
