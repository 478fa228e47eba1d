"""Texts are worth tokens in any script, and more text never less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.tokens import text_tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("a" * 40, 10, id="ASCII"),
        pytest.param("я" * 40, 20, id="Cyrillic"),
        pytest.param("字" * 40, 40, id="Han"),
        pytest.param("か" * 40, 40, id="kana"),
        pytest.param("한" * 40, 40, id="Hangul"),
        pytest.param("𠀀" * 40, 40, id="beyond the basic plane"),
    ],
)
def test_estimates_tokens_by_script(text, expected):
    assert expected == text_tokens(text)


@given(st.text(), st.text())
def test_a_longer_text_never_takes_fewer_tokens(one, other):
    assert text_tokens(one) <= text_tokens(one + other)


@given(st.text())
def test_a_text_has_tokens_unless_it_is_empty(text):
    assert (text_tokens(text) > 0) is bool(text)
