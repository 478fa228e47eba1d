"""However many slots a caller wants, the others find one."""

from contextlib import ExitStack

import pytest

from services.core.errors import OverloadedError
from services.runtime.admission import Admission


@pytest.fixture
def held():
    with ExitStack() as slots:
        yield slots


def taken(admission, held, caller, tries):
    """How many of so many slots a caller got."""
    count = 0
    for _ in range(tries):
        try:
            held.enter_context(admission.slot(caller))
        except OverloadedError:
            break
        count += 1
    return count


def test_one_caller_has_all_slots_and_no_spare_one(held):
    assert 8 == taken(Admission(8), held, "noisy", 100)


def test_a_second_caller_finds_a_slot_when_all_are_taken(held):
    admission = Admission(8)
    taken(admission, held, "noisy", 100)

    assert 2 == taken(admission, held, "quiet", 100)


def test_no_caller_has_spare_slots_beyond_its_part(held):
    admission = Admission(8)
    taken(admission, held, "one", 4)
    taken(admission, held, "two", 4)

    assert 0 == taken(admission, held, "one", 100)
    assert 2 == taken(admission, held, "three", 100)


def test_a_slot_that_was_given_back_counts_for_nobody():
    admission = Admission(1)
    for caller in ("one", "two", "one"):
        with admission.slot(caller):
            assert 1 == admission.taken

    assert 0 == admission.taken
