"""A caller keeps the places that it had lately, and a flood gets the rest."""

import pytest

from services.config.care import Concurrency
from services.models.room import Room
from tests.unit.models.clocks import Clock

PLACES = 16


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def room(clock):
    return Room(Concurrency(keep_s=10.0, newcomers=0.0625), clock)


def taken(room, caller, most=100, *, places=PLACES):
    """How many places a caller got when it wanted so many."""
    for nth in range(most):
        if not room.has(caller, places=places):
            return nth
        room.take(caller)
    return most


def given_back(room, caller, count):
    for _ in range(count):
        room.give_back(caller)


def test_a_lone_caller_leaves_a_place_for_a_newcomer(room):
    assert 15 == taken(room, "noisy")
    assert room.has("quiet", places=PLACES)


def test_what_a_caller_had_lately_is_kept_for_it(room):
    given_back(room, "quiet", taken(room, "quiet", 4))

    assert 11 == taken(room, "noisy")
    assert 4 == taken(room, "quiet", 4)


def test_what_it_had_long_ago_is_not(room, clock):
    given_back(room, "quiet", taken(room, "quiet", 4))
    clock.pass_s(60.0)

    assert 15 == taken(room, "noisy")


def test_nothing_is_kept_beyond_an_equal_part(room):
    given_back(room, "greedy", taken(room, "greedy"))

    assert 8 == taken(room, "other")


def test_a_single_place_is_for_everybody(room):
    given_back(room, "one", taken(room, "one", places=1))

    assert 1 == taken(room, "two", places=1)


def test_callers_who_are_gone_are_forgotten(room, clock):
    for nth in range(50):
        given_back(room, f"once-{nth}", taken(room, f"once-{nth}", 1))
    clock.pass_s(100.0)
    given_back(room, "again", taken(room, "again", 1))

    assert {"again"} == set(room._peaks)
