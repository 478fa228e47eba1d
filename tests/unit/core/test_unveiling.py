"""Reasoning stays hidden while the text is being written."""

import pytest

from services.core.unveiling import Unveiling
from services.core.visible import visible_text


def shown(pieces, *, begun=False):
    unveiling = Unveiling()
    if begun:
        unveiling.begin()
    return "".join([*(unveiling.feed(piece) for piece in pieces), unveiling.rest()])


@pytest.mark.parametrize(
    "text",
    [
        "Paris",
        "<think>Is it Rome? </thinking> no </think>Paris",
        "<THINKING>hm</Thinking>Paris <think>sure?</think>is it",
        "a < b and <b>bold</b>, even <thin",
        "2 <",
        "<think>never ends",
    ],
)
def test_shows_what_a_reader_of_the_whole_sees_however_it_is_cut(text):
    wanted = visible_text(text)

    assert wanted == shown([text]).strip()
    assert wanted == shown(text).strip()


@pytest.mark.parametrize(
    "text",
    [
        "Is it Rome? </think>Paris",
        "hm</THINKING> Paris <think>sure?</think>is it",
        "<think>Is it Rome? </think>Paris",
        "so <thinking>Is it </think> Rome? </thinking>Paris",
        "never ends",
        "a < b, </thin",
        "",
    ],
)
def test_reasoning_whose_beginning_nobody_saw_stays_hidden(text):
    wanted = visible_text(text, begun=True)

    assert not {"Rome", "hm", "so", "never", "<"} & set(wanted.replace("?", "").split())
    assert ("Paris" in text) == wanted.startswith("Paris")
    assert wanted == shown([text], begun=True).strip() == shown(text, begun=True).strip()


def test_plain_text_is_not_held_back():
    unveiling = Unveiling()

    assert ["The ", "", "<b", ">"] == [unveiling.feed(piece) for piece in ("The ", "<", "b", ">")]


def test_nothing_of_reasoning_is_shown_before_its_end_is_known():
    unveiling = Unveiling()

    pieces = ["<thi", "nk>sec", "ret</", "think", ">open"]
    assert ["", "", "", "", "open"] == [unveiling.feed(piece) for piece in pieces]
