"""Every prompt becomes the same finite numbers, wherever and whenever it is read."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.prompts import Message, OutputFormat, Prompt, Tool
from services.routing.features import (
    BUCKETS,
    FEATURES,
    HEAD_CHARS,
    features,
    of_text,
    sample,
    seen,
    words,
)


def value(prompt, name):
    return float(features(prompt)[FEATURES.index(name)])


@given(st.text(max_size=400))
def test_every_text_has_finite_features(text):
    found = features(of_text(text))

    assert (len(FEATURES),) == found.shape
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("name", "more", "less"),
    [
        ("length", "a long text about nothing at all", "short"),
        ("lines", "one\ntwo\nthree", "one two three"),
        ("digits", "12 34", "ab cd"),
        ("numerals", "1 and 2 and 3", "1 and one"),
        ("operators", "x + y = z", "x and y"),
        ("capitals", "NASA AND ESA", "nasa and esa"),
        ("code", "```\nx\n```", "x"),
        ("questions", "why? how?", "why."),
        ("constraints", "You must use exactly three words", "Use three words"),
        ("listed", "A. one\nB. two", "one\ntwo"),
        ("other_scripts", "здравствуй", "hello"),
    ],
)
def test_a_sign_raises_its_feature(name, more, less):
    assert value(of_text(more), name) > value(of_text(less), name)


def test_the_shape_of_the_answer_and_the_tools_count():
    turns = (Message("user", ("pick one",)),)
    plain = features(Prompt(turns))
    labels = features(Prompt(turns, output_format=OutputFormat(kind="labels", labels=("a",))))
    tooled = features(Prompt(turns, tools=(Tool("search"),)))

    assert ["wants_labels"] == [FEATURES[i] for i in np.flatnonzero(labels != plain)]
    assert ["tools"] == [FEATURES[i] for i in np.flatnonzero(tooled != plain)]


def test_earlier_turns_are_context():
    turns = (Message("user", ("one",)), Message("assistant", ("two",)), Message("user", ("go",)))
    changed = features(Prompt(turns)) != features(of_text("go"))

    assert ["context", "turns"] == [FEATURES[i] for i in np.flatnonzero(changed)]


def test_words_are_hashed_the_same_everywhere():
    found = words("The cat")

    assert [936, 11208, 11750] == found.places.tolist()


@given(st.text(max_size=200))
def test_places_are_ascending_and_in_range(text):
    places = words(text).places

    assert (np.diff(places) > 0).all()
    assert ((places >= 0) & (places < BUCKETS)).all()


def test_case_and_compatible_signs_do_not_change_words():
    assert words("ﬁnd X").places.tolist() == words("FIND x").places.tolist()


def test_of_a_long_text_the_beginning_and_the_end_are_read():
    found = sample("a" * HEAD_CHARS + "b" * 10_000_000 + "the end")

    assert len(found) < 20_000
    assert found.startswith("a")
    assert found.endswith("the end")


def test_what_is_seen_of_a_prompt_keeps_vector_and_domain():
    vector = np.ones(3, dtype=np.float32)
    found = seen(of_text("hi"), vector, domain="law")

    assert (vector.tolist(), "law") == (found.vector.tolist(), found.domain)


def test_many_blank_lines_take_no_long_time():
    began = time.process_time()

    features(of_text("What is it?" + "\n" * 60_000 + "And why?"))

    assert time.process_time() - began < 0.1
