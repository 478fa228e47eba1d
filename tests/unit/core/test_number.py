"""The number an answer means is read from common ways to write it."""

# ruff: noqa: RUF001  (numbers are written in their own scripts)

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.number import number_in
from services.core.unreadable import UnreadableError


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42),
        ("42.0", 42),
        ("$1,234", 1234),
        ("the answer is 42", 42),
        ("12 and 30 make 42.", 42),
        ("**42**", 42),
        ("-$5", -5),
        ("$-5", -5),
        ("\u22123", -3),
        ("from 3-5", 5),
        ("50%", 50),
        ("1e5", 100000),
        ("1.5 × 10^3", 1500),
        ("10^3", 1000),
        ("3/4", 0.75),
        (r"\frac{3}{4}", 0.75),
        (r"\boxed{12} since 3 + 9", 12),
        ("#### 18\n(3 + 15 steps)", 18),
        ("3,14", 3.14),
        ("1.234,56", 1234.56),
        ("1\u202f234", 1234),
        ("model x2 says 7", 7),
        ("٣", 3),
        ("0.30000000000000004", 0.3),
        (r"2\frac{1}{2}", 2.5),
        (r"-2\tfrac{1}{2}", -2.5),
        (r"\frac12", 0.5),
        (r"\boxed{\frac{3}{4}} because 3 of 4", 0.75),
        (r"\boxed{12\,\text{cm}^2}, see figure 3", 12),
        (r"\(1{,}234\)", 1234),
        (r"$1\,234$", 1234),
        (r"\$5", 5),
        (r"25\%", 25),
        (r"45^\circ", 45),
        (r"3\sqrt{16}", 12),
        (r"2\pi", 6.28318530718),
        (r"1.5 \cdot 10^{3}", 1500),
        ("the area is 12 cm^2", 12),
        ("9.81 m/s^2", 9.81),
        ("9.81 m s^{-2}", 9.81),
        ("30°", 30),
        ("2 1/2 cups", 2.5),
        ("1.5 million", 1500000),
        ("about 3 thousand", 3000),
        ("1 000", 1000),
        ("123 456", 123456),
        ("-12 345 678.5", -12345678.5),
        ("It took 1 000 steps.", 1000),
        ("The answer is 12 500.", 12500),
        ("100 200 300", 100200300),
        ("rows of 100 200 300 or 400", 400),
        ("powers: 10 100 1000", 1000),
        ("1_000", 1000),
        ("1_000_000 rows", 1000000),
        ("½", 0.5),
        ("it is ¾", 0.75),
        ("2½ cups", 2.5),
        ("-1 ½", -1.5),
        ("5\u20448", 0.625),
        ("The answer is 5, not 6", 5),
        ("The answer is 5 (not 6)", 5),
        ("It is 5, not 6.", 5),
        ("It isn't 6; 5 it is", 5),
        ("5 instead of 6", 5),
        ("Not 6 but 5", 5),
        ("Answer: 42 because 6 x 7 = 42 and 7 is odd, as 3 is", 42),
        ("The answer is 2 + 3 = 5.", 5),
        ("The answer is 1,234.5, see table 3", 1234.5),
        ("First I thought the answer is 4. No: the answer is 5 as 2 + 3", 5),
        ("The answer is:\n\n42", 42),
        ("Die Antwort ist 7, denn 3 + 4", 7),
        ("The answer is what all these parts come to: 42. It took 7 steps.", 42),
        ("答案是 12。共有3个", 12),
        ("ratio 3:2, which is 1.5", 1.5),
        ("0,125", 0.125),
        ("Die Antwort ist 3,14.", 3.14),
        ("**-0,5** %", -0.5),
        ("Es kostet 1.234,56 €", 1234.56),
        ("1.234.567 Einwohner", 1234567),
        ("1,23,456", 123456),
        ("₹1,00,000.50", 100000.5),
        ("one of 1,2,3", 3),
        ("see 1.2.3, so 4", 4),
        ("١٬٢٣٤٫٥", 1234.5),
        ("答案是１２．５", 12.5),
    ],
)
def test_reads(text, number):
    assert number == number_in(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        *("none", "1e400", "9" * 5000, "1/0", "."),
        *("0x10", "0b11", "0o17", "3:2", "at 12:30", "1_00", "2024_11", "It is not 6."),
        *("5 of them, which is 3:2", "5, or 0x05"),
    ],
)
def test_refuses(text):
    with pytest.raises(UnreadableError, match="no number"):
        number_in(text)


@pytest.mark.parametrize("text", ["3,14", "es sind 1.234,5 m"])
def test_another_way_to_write_a_number_is_recorded(text):
    assert "DECIMAL_COMMA" in number_in(text)[1]


def test_a_row_of_zeros_takes_no_long_time():
    began = time.process_time()

    number_in(f"{'000 ' * 4000}0000\n" * 20)

    assert time.process_time() - began < 1.0


@given(st.integers(-(10**30), 10**30))
def test_integers_stay_exact(number):
    assert number == number_in(f"It is {number}")[0]


@given(st.integers(-(10**12), 10**12))
def test_thousands_signs_do_not_count(number):
    assert number_in(str(number))[0] == number_in(f"{number:,}")[0]
