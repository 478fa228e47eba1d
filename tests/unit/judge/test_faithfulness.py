"""Citations must exist; numbers should stand in the passages."""

import time

import pytest

from judge_svc.faithfulness import unknown_citations, unsupported_numbers
from services.core.prompts import Passage

PASSAGES = (Passage("p1", "The tower is 330 m high."), Passage("p2", "It opened in 1889."))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("It is high [p1], old [p2].", [], id="all exist"),
        pytest.param("It is high [p7].", ["p7"], id="one does not"),
        pytest.param("High [p1, p8] and old [P2; p9].", ["p8", "p9"], id="lists"),
        pytest.param("High 【p3】.", ["p3"], id="other brackets"),
        pytest.param("As he said [sic], see [7] and [note].", [], id="no ids"),
        pytest.param("See [p9](https://a.example) and `[p9]` and a[p9].", [], id="no citations"),
    ],
)
def test_citations(text, expected):
    assert unknown_citations(text, PASSAGES) == expected


def test_numeric_ids_are_ids_too():
    numbered = (Passage("1", "a"), Passage("2", "b"))

    assert unknown_citations("So [1], [3] and list[4].", numbered) == ["3"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("It is 330 m high and opened in 1889.", (2, []), id="all stand there"),
        pytest.param("It is 324 m high.", (1, ["324"]), id="one does not"),
        pytest.param("It is ٣٣٠ m high.", (1, []), id="other digits"),
        pytest.param("It is 330.0 m high.", (1, []), id="other form"),
        pytest.param("1. High\n2. Old [p1]", (0, []), id="list marks"),
        pytest.param("It has 10 floors.", (0, []), id="small"),
        pytest.param("It has 11 floors.", (1, ["11"]), id="no longer small"),
        pytest.param("It says `x = 99`.", (0, []), id="code"),
    ],
)
def test_numbers(text, expected):
    assert unsupported_numbers(text, [p.text for p in PASSAGES]) == expected


def test_many_blank_lines_take_no_long_time():
    began = time.process_time()

    assert (1, []) == unsupported_numbers("330" + "\n" * 60_000 + "m", ["330"])
    assert time.process_time() - began < 1.0
