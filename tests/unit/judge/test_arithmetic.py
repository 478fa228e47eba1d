"""A statement is called wrong only if it is wrong however it is read."""

# ruff: noqa: RUF001  (signs of arithmetic are what is tested)

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_svc.arithmetic import wrong_statements
from services.core.numerals import read, values


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        pytest.param("So 5 * 4 = 25.", "5 * 4 = 25", id="product"),
        pytest.param("<<12*3=35>>", "12*3=35", id="calculator annotation"),
        pytest.param("(7 - 2) × 4 = 21", "(7 - 2) × 4 = 21", id="brackets"),
        pytest.param("total = 2 + 3 = 6", "2 + 3 = 6", id="chain"),
        pytest.param("6 = 2 + 3", "6 = 2 + 3", id="reversed"),
        pytest.param("(3+1=5)", "3+1=5", id="in brackets"),
        pytest.param("It costs $1.50 * 3 = $5.00.", "1.50 * 3 = $5.00", id="currency"),
        pytest.param("2**3 = 9", "2**3 = 9", id="power"),
        pytest.param("3x4=13", "3x4=13", id="letter x"),
        pytest.param("٢ + ٣ = ٦", "2 + 3 = 6", id="Arabic digits"),
        pytest.param("２＋３ = 6 und 2 + 2 = 5", "2 + 2 = 5", id="unknown sign passed over"),
        pytest.param("2,5 + 2,5 = 6,0", "2,5 + 2,5 = 6,0", id="decimal comma"),
        pytest.param("1,234 + 1 = 1,236", "1,234 + 1 = 1,236", id="grouped thousands"),
        pytest.param(
            "123456789 * 987654321 = 121932631112635268",
            "123456789 * 987654321 = 121932631112635268",
            id="last digit of many",
        ),
        pytest.param("10 / 4 = 4", "10 / 4 = 4", id="beyond rounding"),
    ],
)
def test_finds(text, wrong):
    assert wrong_statements(text)[1] == [wrong]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2 + 3 = 5, 10 - 3 - 2 = 5, 2 * -3 = -6", id="right"),
        pytest.param("10/3 = 3.33 and 2/3 = 0.66", id="rounded"),
        pytest.param("0.33 * 300 = 100", id="rounded operand"),
        pytest.param("7 / 2 = 3", id="whole division"),
        pytest.param("2 + 3 = 5 * 2 = 10", id="running total"),
        pytest.param("1.500 * 2 = 3.000 and 1,500 * 2 = 3,000", id="either mark"),
        pytest.param("x + 2 + 3 = 7, 2x + 3 = 7, x_2 + 3 = 9", id="variables"),
        pytest.param("f(2) + 3 = 7, a[2] + 3 = 7, log 8 + 1 = 4, √4 + 1 = 3", id="functions"),
        pytest.param("7 + 8 = 3 (mod 12)", id="modulo"),
        pytest.param("1 + 1 = 10 in binary", id="another base"),
        pytest.param("10 : 2 + 3 = 8", id="colon as division"),
        pytest.param("24 * 5 = 5! and 50 * 20% = 10", id="factorial and percent"),
        pytest.param("3 apples + 4 = 7 and 2 hours * 60 = 120", id="units between"),
        pytest.param("`2 + 2 = 5` and ```\n2 + 2 = 5\n```", id="code"),
        pytest.param("if 2 + 2 == 5 or 2 + 2 != 5 or 2 + 2 >= 5", id="comparisons"),
        pytest.param("1 / 0 = 7 and 2 ^ 9999 = 1", id="out of hand"),
        pytest.param("((((9^64)^64)^64)^64)^64 = 1", id="powers of powers"),
        pytest.param("The answer is 42.", id="no statement"),
    ],
)
def test_has_nothing_to_object_to(text):
    assert wrong_statements(text)[1] == []


def test_a_quotation_of_the_question_is_no_statement():
    assert wrong_statements("No, 2 + 2 = 5 is false.", quoted_from="Is 2+2 = 5?") == (0, [])


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from("+-*"), st.integers(1, 9))
def test_tells_right_from_wrong(a, b, op, off):
    right = {"+": a + b, "-": a - b, "*": a * b}[op]

    assert wrong_statements(f"Well, {a} {op} {b} = {right}.") == (1, [])
    assert wrong_statements(f"Well, {a} {op} {b} = {right + off}.")[1] != []


@given(st.integers(1, 10**4), st.integers(1, 10**4), st.integers(0, 4))
def test_a_rounded_quotient_is_right(a, b, digits):
    assert wrong_statements(f"{a} / {b} = {a / b:.{digits}f}")[1] == []


@given(st.text(alphabet="0123456789+-*/^()=., x<>", max_size=60))
def test_reads_anything(text):
    n_checked, wrong = wrong_statements(text)

    assert len(wrong) <= n_checked


def test_powers_are_recomputed_as_far_as_they_stay_small():
    assert (1, ["(2^8)^8 = 1"]) == wrong_statements("So (2^8)^8 = 1.")


@pytest.mark.parametrize("text", ["=1+1" * 50_000, "(" * 100_000 + "=1", "1 " * 50_000 + "=1"])
def test_a_hostile_text_costs_little(text):
    began = time.perf_counter()
    wrong_statements(text)

    assert time.perf_counter() - began < 2.0


@pytest.mark.parametrize(
    ("numeral", "expected"),
    [
        pytest.param("1234", {1234}, id="plain"),
        pytest.param("1,234.5", {Fraction(2469, 2)}, id="point"),
        pytest.param("1.234,5", {Fraction(2469, 2)}, id="comma"),
        pytest.param("1,234", {1234, Fraction(1234, 1000)}, id="either"),
        pytest.param("1.2.3", set(), id="version"),
    ],
)
def test_a_numeral_may_mean(numeral, expected):
    assert values(numeral) == expected


def test_counts_decimals():
    assert read("2.50", "point") == (Fraction(5, 2), 2)
