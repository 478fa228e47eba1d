"""Two loads in turns give a ratio that noise strikes on both sides alike."""

import asyncio
import os

import pytest

from bench.measure import Target, in_turns, merged, ratio


def test_the_ratio_is_of_all_turns_together():
    found, error = ratio([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])

    assert (0.5, 0.0) == (pytest.approx(found), pytest.approx(error))


def test_turns_that_differ_make_it_unsure():
    _, error = ratio([1.0, 3.0], [2.0, 2.0])

    assert error == pytest.approx(0.5)


async def test_targets_take_turns_at_being_first():
    order = []

    def target(name):
        async def call():
            order.append(name)
            return 0.0

        return Target(call, [os.getpid()])

    costs = await in_turns([target("a"), target("b")], turns=2, requests=1, concurrency=1)

    assert "abba" == "".join(order)
    assert [2, 2] == [len(merged(each).latencies_s) for each in costs]


async def test_what_a_call_spends_elsewhere_does_not_count():
    async def call():
        await asyncio.sleep(0.01)
        return 60.0

    ((cost,),) = await in_turns([Target(call, [os.getpid()])], turns=1, requests=2, concurrency=2)

    assert cost.latency_ms(50) < 0.0
    assert cost.took_s >= 0.01
