"""Event streams are read as the HTML standard says, wherever the network cuts them."""

import itertools

import pytest

from services.models.sse import EventParser


def read(*chunks):
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


STREAM = (
    '\ufeff: a comment\r\nevent: first\r\ndata: {"a": "é🦜"}\r\n\r\n'
    "data:one\ndata: two\n\nid: 7\nretry: 10\n\n: ping\n\ndata\rdata: x\r\r"
).encode()
EVENTS = ['{"a": "é🦜"}', "one\ntwo", "\nx"]


def test_reads_comments_names_several_lines_and_every_line_end():
    assert read(STREAM) == EVENTS


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_a_stream_may_be_cut_at_any_byte(at):
    assert read(STREAM[:at], STREAM[at:]) == EVENTS


def test_a_stream_may_come_byte_by_byte():
    assert read(*(bytes([byte]) for byte in STREAM)) == EVENTS


def test_any_two_cuts_of_a_short_stream_change_nothing():
    short = b"data: a\r\n\r\ndata: b\r\n\r\n"
    for first, second in itertools.combinations(range(len(short)), 2):
        assert read(short[:first], short[first:second], short[second:]) == ["a", "b"]


def test_an_event_is_told_as_soon_as_it_is_complete():
    parser = EventParser()

    assert [] == parser.feed(b"data: a\r")
    assert ["a"] == parser.feed(b"\n\r")


@pytest.mark.parametrize("end", [b"data: half", b"data: half\n"])
def test_an_event_that_the_end_cuts_is_none(end):
    assert ["whole"] == read(b"data: whole\n\n" + end)
