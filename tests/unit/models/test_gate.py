"""Turns are given fairly, waiting is bounded, and the limit follows what the model can bear."""

import asyncio

import pytest

from services.config.care import Concurrency
from services.models.gate import AdaptiveLimit, Gate, RefusedError
from services.models.room import Room
from tests.unit.models.clocks import Clock


def limit(most, **policy):
    clock = Clock()
    return AdaptiveLimit(Concurrency(**policy), most, clock), clock


def gate(most=1, *, max_waiting=100):
    adaptive, clock = limit(most)
    return Gate(adaptive, max_waiting, Room(adaptive.policy, clock))


async def queue(gate, *callers):
    """Tasks that wait for a turn each, in this order, and the order in which they got it."""
    order = []

    async def enter(caller):
        await gate.enter(caller)
        order.append(caller)

    tasks = [asyncio.create_task(enter(caller)) for caller in callers]
    await asyncio.sleep(0)
    return tasks, order


async def settle():
    for _ in range(3):
        await asyncio.sleep(0)


async def test_no_more_enter_than_are_allowed():
    two = gate(2)
    tasks, order = await queue(two, "a", "a", "a")
    await settle()

    assert (2, 2, 1) == (len(order), two.in_flight, two.waiting)
    two.leave("a")
    await asyncio.gather(*tasks)
    assert (2, 0) == (two.in_flight, two.waiting)


async def test_callers_take_turns_whatever_one_of_them_sends():
    one = gate()
    await one.enter("noisy")
    tasks, order = await queue(one, *["noisy"] * 4, "quiet", "third")
    for _ in tasks:
        one.leave(["noisy", *order][-1])
        await settle()

    assert ["noisy", "quiet", "third", "noisy", "noisy", "noisy"] == order


async def test_too_many_are_refused_at_once():
    one = gate(max_waiting=2)
    await one.enter("a")
    tasks, _ = await queue(one, "a", "a")
    with pytest.raises(RefusedError) as caught:
        await one.enter("a")

    assert "OVERLOADED" == caught.value.reason
    for task in tasks:
        task.cancel()


async def test_a_full_queue_has_room_for_a_quiet_caller():
    one = gate(max_waiting=3)
    await one.enter("noisy")
    noisy, _ = await queue(one, "noisy", "noisy", "noisy")
    quiet, order = await queue(one, "quiet")
    one.leave("noisy")
    await settle()
    one.leave("noisy")
    await asyncio.gather(*quiet)

    assert ["quiet"] == order
    with pytest.raises(RefusedError):
        await noisy[2]
    noisy[1].cancel()


async def test_whoever_gives_up_leaves_its_place_in_the_queue():
    one = gate()
    await one.enter("a")
    (task, other), order = await queue(one, "a", "b")
    task.cancel()
    await settle()
    assert 1 == one.waiting

    one.leave("a")
    await other
    assert (["b"], 1) == (order, one.in_flight)


async def test_whoever_gives_up_in_the_moment_of_its_turn_passes_it_on():
    one = gate()
    await one.enter("a")
    (task, other), _ = await queue(one, "a", "b")
    one.leave("a")
    task.cancel()
    await other

    assert (1, 0) == (one.in_flight, one.waiting)


async def test_those_who_wait_can_be_sent_away():
    one = gate()
    await one.enter("a")
    tasks, _ = await queue(one, "a", "b")
    one.send_away(lambda: RefusedError("BREAKER_OPEN", "no"))
    told = await asyncio.gather(*tasks, return_exceptions=True)

    assert ["BREAKER_OPEN"] * 2 == [err.reason for err in told]
    assert (1, 0) == (one.in_flight, one.waiting)


async def test_counts_the_turns_before_a_new_call():
    one = gate()
    assert 0 == one.turns_before("a")
    await one.enter("a")
    assert 1 == one.turns_before("a")
    tasks, _ = await queue(one, *["a"] * 5)

    assert (6, 2) == (one.turns_before("a"), one.turns_before("b"))
    for task in tasks:
        task.cancel()


def test_the_limit_starts_at_the_most_and_falls_once_a_round_trip():
    adaptive, clock = limit(10, decrease=0.5)
    began = clock()
    clock.pass_s(1.0)
    for _ in range(8):
        adaptive.was_too_much(began=began)

    assert 5 == adaptive.allowed


def test_the_limit_never_falls_below_the_least():
    adaptive, clock = limit(10, min=2, decrease=0.1)
    for _ in range(5):
        clock.pass_s(1.0)
        adaptive.was_too_much(began=clock())
        clock.pass_s(1.0)

    assert 2 == adaptive.allowed


def test_a_full_round_that_goes_well_adds_about_one():
    adaptive, clock = limit(10, decrease=0.4)
    adaptive.was_too_much(began=clock())
    assert 4 == adaptive.allowed
    for _ in range(5):
        adaptive.went_well(in_flight=4)

    assert 5 == adaptive.allowed


def test_the_limit_does_not_grow_while_it_is_not_used():
    adaptive, clock = limit(10, decrease=0.4)
    adaptive.was_too_much(began=clock())
    for _ in range(100):
        adaptive.went_well(in_flight=3)

    assert 4 == adaptive.allowed
