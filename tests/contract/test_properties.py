"""Properties hold or do not, however busy the machine is."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st


@given(st.just(0.25))
@settings(max_examples=2)
def test_an_example_may_take_longer_than_usual(seconds):
    """More than the 200 ms that Hypothesis allows unless told otherwise."""
    time.sleep(seconds)

    assert settings().deadline is None
