"""Short answers are read as what their reference answers are: numbers, letters, mathematics, literals."""

import pytest

from bench.decisions.reading import letter, literal, mathematics, number, reader

MATH = [str(i) for i in range(6)] + [r"\frac{1}{2}", "x+7", r"(2, \frac{\pi}{3})", "2x"]


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        pytest.param(["18", "1,000", "-2.5", "$7"], number, id="numbers"),
        pytest.param(["A", "(B)", "J", "D."], letter, id="letters"),
        pytest.param(MATH, mathematics, id="mathematics"),
        pytest.param(["[1, 2]", "'a'", "4", "{}"], literal, id="literals"),
        pytest.param(["Paris", "4", "5", "6"], literal, id="words and numbers"),
        pytest.param([], literal, id="none"),
        pytest.param([None, "18"], number, id="one is missing"),
    ],
)
def test_reference_answers_tell_what_is_asked_for(references, expected):
    assert expected is reader(references)


@pytest.mark.parametrize(
    ("read", "one", "other"),
    [
        pytest.param(letter, "(B)", "b.", id="letter in brackets"),
        pytest.param(mathematics, r"\boxed{\frac{1}{2}}", "0.5", id="fraction"),
        pytest.param(mathematics, r"$\left(2, \dfrac{\pi}{3}\right)$", r"(2,\frac{\pi}{3})", id="pair"),
        pytest.param(mathematics, "x + 7", "x+7", id="spaces"),
        pytest.param(literal, "'a b'", "a b", id="quotes"),
        pytest.param(literal, "[1,2]", "[1, 2]", id="list"),
    ],
)  # fmt: skip
def test_answers_that_mean_the_same_share_a_class(read, one, other):
    assert read(one).key == read(other).key != ""


@pytest.mark.parametrize(
    ("read", "one", "other"),
    [
        pytest.param(letter, "A", "B", id="letters"),
        pytest.param(mathematics, "x+7", "7", id="an expression is not its last number"),
        pytest.param(mathematics, "(1, 2)", "2", id="a pair is not its last number"),
        pytest.param(literal, "[1, 2]", "[2, 1]", id="lists"),
    ],
)
def test_answers_that_differ_do_not(read, one, other):
    assert read(one).key != read(other).key


@pytest.mark.parametrize("read", [number, letter, mathematics, literal])
def test_no_answer_is_no_vote(read):
    assert "" == read(None).key
