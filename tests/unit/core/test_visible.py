"""Reasoning is cut off before anything else is read."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.visible import is_cut_in_reasoning, visible_text


@pytest.mark.parametrize(
    ("text", "seen", "is_cut"),
    [
        pytest.param("plain", "plain", False, id="none"),
        pytest.param("<think>a\nb</think>\n\n42", "42", False, id="closed"),
        pytest.param("<THINKING>a</THINKING>42", "42", False, id="another tag"),
        pytest.param("a</think>42", "42", False, id="opened by the chat template"),
        pytest.param("<think>a</think>4<think>b</think>2", "42", False, id="twice"),
        pytest.param("<think>and then", "", True, id="unclosed"),
        pytest.param("So:\n<think>and", "So:", True, id="unclosed on a line of its own"),
        pytest.param("\u200b", "", False, id="zero-width"),
        pytest.param("<think>a</think>\u2060\n\ufeff\u00ad", "", False, id="invisible"),
        pytest.param("\u3164\u2800\ufe0f\x00\u202e", "", False, id="blank letters"),
        pytest.param("\u200b\u0644", "\u200b\u0644", False, id="beside a letter"),
        pytest.param("\U0001f44d\ufe0f", "\U0001f44d\ufe0f", False, id="emoji"),
        pytest.param("a <think>b</think> c </think> d", "d", False, id="closed once more"),
        pytest.param("a</think> b </thinking> d", "d", False, id="closed twice"),
        pytest.param("<thi<think>a</think>nk>b</think>d", "d", False, id="brought together"),
        pytest.param("Use the <think> tag.", "Use the <think> tag.", False, id="mentioned"),
    ],
)
def test_shows(text, seen, is_cut):
    assert (seen, is_cut) == (visible_text(text), is_cut_in_reasoning(text))


PIECES = ["<think>", "</think>", "<THINKING>", "</thinking>", "<thi", "</", "nk>", "a", " ", "\n"]


@given(st.lists(st.sampled_from([*PIECES, "\u200b"]), max_size=16), st.booleans())
def test_what_was_made_visible_stays_as_it_is(pieces, begun):
    seen = visible_text("".join(pieces), begun=begun)

    assert seen == visible_text(seen)
    assert not is_cut_in_reasoning(seen)


def test_a_text_from_which_ever_more_can_be_cut_shows_nothing():
    nested = "<think>x</think>"
    for _ in range(100):
        nested = f"<thi{nested}nk>x</think>"

    assert "" == visible_text(f"a {nested} b")


def test_many_closing_tags_take_no_long_time():
    start = time.perf_counter()

    assert "a" == visible_text("a</think>" * 100_000 + "a")

    assert time.perf_counter() - start < 1.0


@pytest.mark.parametrize("unit", ["<think>", "<think></think>", "a<think>b</think>"])
def test_many_tags_take_no_long_time(unit):
    start = time.process_time()

    visible_text(unit * 100_000)

    assert time.process_time() - start < 1.0
