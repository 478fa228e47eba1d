"""Short answers are read as what their reference answers are: numbers, letters, mathematics, literals, words."""

import pytest

from bench.decisions.reading import letter, literal, mathematics, number, phrase, reader

MATH = [str(i) for i in range(6)] + [r"\frac{1}{2}", "x+7", r"(2, \frac{\pi}{3})", "2x"]


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        pytest.param(["18", "1,000", "-2.5", "$7"], number, id="numbers"),
        pytest.param(["A", "(B)", "J", "D."], letter, id="letters"),
        pytest.param(MATH, mathematics, id="mathematics"),
        pytest.param(["[1, 2]", "'a'", "4", "{}"], literal, id="literals"),
        pytest.param(["Paris", "4", "5", "6"], phrase, id="words and numbers"),
        pytest.param([], phrase, id="none"),
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
        pytest.param(phrase, " Paris", "Paris\n", id="blanks around words"),
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


@pytest.mark.parametrize("read", [number, letter, mathematics, literal, phrase])
def test_no_answer_is_no_vote(read):
    assert "" == read(None).key


@pytest.mark.parametrize(
    ("said", "key"),
    [
        pytest.param(" 4 2 ", "' 4 2 '", id="blanks of a bare string are its own"),
        pytest.param("' 4 2 '", "' 4 2 '", id="blanks within quotes"),
        pytest.param(" [1,2] ", "[1, 2]", id="blanks around a value are nobody's"),
        pytest.param("'5'", "5", id="quotes around a value do not count"),
        pytest.param("'5 '", "'5 '", id="quotes around blanks do"),
        pytest.param('"it\'s"', '"it\'s"', id="either quotes"),
        pytest.param("'a\nb'", "'a\\nb'", id="what Python would not take is meant"),
        pytest.param("None", "None", id="nothing"),
    ],
)
def test_a_literal_is_what_python_reads(said, key):
    assert key == literal(said).key


@pytest.mark.parametrize(
    ("plain", "mended"),
    [
        ("8.5", "8.50"),
        ("(('a', 1), ('b', 2))", "('a', 1), ('b', 2)"),
        (r"'\\foo'", r"\foo"),
        ("'abc'", "abc"),
        ("[1,2]", "'[1, 2]'"),
    ],
)
def test_what_python_would_spell_otherwise_had_to_be_mended(plain, mended):
    one, other = literal(plain), literal(mended)

    assert one.key == other.key
    assert (0, 1) == (one.mended, other.mended)
