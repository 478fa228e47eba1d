"""However long a text, no one call over it keeps other threads waiting, and it reads the same."""

import json
import re
import sys
import time
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.abstention import declined
from services.core.canonical import prose_ballot
from services.core.equality import dumped, fold
from services.core.extract import readings
from services.core.label import label_in
from services.core.number import number_in, numbers_in
from services.core.refusal import refuses
from services.core.stretches import MOST_CHARS, matches, stretches
from services.core.unreadable import UnreadableError
from services.core.words import negations, numerals
from services.models.words import word_vectors

N = 160_000
MOST_HELD_S = 0.008
"""Four times what the longest call takes; read at once, prose takes 15 ms and more."""
TEXTS = st.text(alphabet="a1 .\n\u0301国", max_size=60)
LONG = {"prose": "some words, no number " * (N // 22), "accents": "é " * (N // 2)}
READERS = {
    "numerals": numerals,
    "negations": negations,
    "refusal": refuses,
    "abstention": declined,
    "letters": prose_ballot,
    "number": number_in,
    "label": lambda text: label_in(text, ["yes", "no way"]),
    "json": lambda text: list(readings(text)),
    "words": lambda text: word_vectors([text]),
}


def longest_held(work):
    """CPU seconds of the longest stretch of a computation in which no other thread had its turn."""
    longest, since = 0.0, time.thread_time()

    def told(*_):
        nonlocal longest, since
        longest, since = max(longest, time.thread_time() - since), time.thread_time()

    sys.setprofile(told)
    try:
        with suppress(UnreadableError):
            work()
    finally:
        sys.setprofile(None)
    return longest


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_no_call_over_a_long_text_holds_others_up(read, text):
    assert any(longest_held(lambda: read(text)) < MOST_HELD_S for _ in range(2))


@pytest.mark.parametrize(
    ("read", "text"),
    [
        pytest.param(numerals, "a" + "\n" * 40_000 + "a", id="blank lines"),
        pytest.param(READERS["json"], '["' + '\\"' * 20_000, id="quotes that open no string"),
        pytest.param(fold, "a" + "\u0301\u0323" * 40_000, id="accents out of order"),
        pytest.param(refuses, "a" + "\u0301\u0323" * 40_000, id="accents in a refusal"),
    ],
)
def test_what_is_twice_as_long_does_not_take_four_times_as_long(read, text):
    began = time.thread_time()
    with suppress(UnreadableError):
        read(text)

    assert time.thread_time() - began < 1.0


@given(TEXTS, st.integers(2, 20))
def test_stretches_are_the_text(text, most):
    parts = list(stretches(text, most=most))

    assert text == "".join(parts)
    assert all(len(part) <= most for part in parts)


@given(TEXTS, st.integers(1, 20))
def test_matches_are_those_of_the_whole_text(text, most):
    pattern = re.compile(r"(?<!a)\d+(?=.)|国+")

    assert [found.span() for found in pattern.finditer(text)] == [
        found.span() for found in matches(pattern, text, most=most)
    ]


def test_no_number_is_parted():
    written = " ".join(f"{n} and {n} 1/2," for n in range(10_000, 20_000))

    assert len(written) > 8 * MOST_CHARS
    assert [m for n in range(10_000, 20_000) for m in (n, n + 0.5)] == numbers_in(written)


def test_the_last_number_of_a_long_text_is_meant():
    assert 7 == number_in("3 " * MOST_CHARS + "so it is 7." + " as said" * MOST_CHARS)[0]


def test_a_label_is_found_wherever_it_stands():
    text = "so " * MOST_CHARS + "it is no way" + " as said" * MOST_CHARS

    assert "no way" == label_in(text, ["yes", "no way"])[0]


@pytest.mark.parametrize("blanks", [" ", "  \n"])
def test_folds_a_long_text_as_a_short_one(blanks):
    words = ["Éa", "\u0130x", "국가", "ss"] * MOST_CHARS

    assert " ".join(map(fold, words)) == fold(blanks.join(words))


def test_what_no_blank_parts_stays_one_word():
    assert fold("é" * 3 * MOST_CHARS) == unicodedata.normalize("NFC", "é" * 3 * MOST_CHARS)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([1.5, -2, "é", None, True] * 40_000, id="list"),
        pytest.param({str(n): [n, {}] for n in range(40_000)}, id="object"),
    ],
)
def test_large_values_are_written_and_read_bit_by_bit(value):
    usual = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)

    assert usual == dumped(value)
    assert value == next(readings(usual))[0]
    assert any(longest_held(lambda: dumped(value)) < MOST_HELD_S for _ in range(2))


def test_many_numbers_are_read_bit_by_bit():
    written = f"[{'1,' * N * 2}1]"

    assert any(longest_held(lambda: list(readings(written))) < MOST_HELD_S for _ in range(2))
