"""Tests of services.runtime.time_left."""

import pytest

from services.runtime.time_left import TIME_LEFT, time_left_header, time_left_s


class Context:
    def __init__(self, left_s, told=None):
        self._left_s = left_s
        self._told = told

    def time_remaining(self):
        return self._left_s

    def invocation_metadata(self):
        return () if self._told is None else ((TIME_LEFT, self._told),)


@pytest.mark.parametrize(
    ("left_s", "told", "known_s"),
    [
        (5.0, None, 5.0),
        (5.0, "4.9", 4.9),  # gRPC repeats a timeout that is a little longer
        (4.0, "4.9", 4.0),  # underway for long
        (None, "4.9", 4.9),
        (None, None, None),
        (5.0, "nan", 5.0),
        (5.0, "-1", 5.0),
        (5.0, "inf", 5.0),
        (5.0, "soon", 5.0),
    ],
)
def test_the_shorter_counts_and_nonsense_does_not(left_s, told, known_s):
    assert known_s == time_left_s(Context(left_s, told))


@pytest.mark.parametrize("left_s", [1e-4, 0.02, 1.7424, 3600.0])
def test_a_callee_has_less_than_its_caller_had(left_s):
    assert 0 < time_left_s(Context(None, time_left_header(left_s)[1])) < left_s
