"""What a question consists of is read within limits, and named when it cannot be."""

import io

import click
import pytest

from services.cli.inputs import MOST_SCHEMA_BYTES, MOST_TEXT_BYTES, question_text, schema_text


@pytest.fixture
def typed(monkeypatch):
    """Put bytes into standard input."""

    def type_(told):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(told)))

    return type_


def test_a_question_stands_for_itself():
    assert "Why?" == question_text("Why?")


def test_a_dash_means_standard_input(typed):
    typed("Où?\n".encode())

    assert "Où?\n" == question_text("-")


def test_as_much_as_a_question_may_have_is_read(typed):
    typed(b"x" * MOST_TEXT_BYTES)

    assert MOST_TEXT_BYTES == len(question_text("-"))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        pytest.param(
            b"x" * (MOST_TEXT_BYTES + 1), "standard input has more than 1,048,576", id="huge"
        ),
        pytest.param(b"caf\xe9", "standard input is not UTF-8: .* byte 3", id="latin-1"),
        pytest.param(b" \n", "the question is blank", id="blank"),
    ],
)
def test_what_cannot_be_a_question_is_refused(typed, told, message):
    typed(told)

    with pytest.raises(click.UsageError, match=message):
        question_text("-")


def test_a_closed_standard_input_is_named(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(click.UsageError, match="standard input is closed"):
        question_text("-")


def test_without_a_file_there_is_no_schema():
    assert schema_text(None) is None


@pytest.mark.parametrize(
    ("told", "message"),
    [
        pytest.param(b" " * (MOST_SCHEMA_BYTES + 1), "has more than 262,144", id="huge"),
        pytest.param(b"\xff{}", "is not UTF-8", id="latin-1"),
        pytest.param(b"{", "is no JSON: ", id="no JSON"),
    ],
)
def test_what_cannot_be_a_schema_is_named_by_its_file(tmp_path, told, message):
    path = tmp_path / "answer.json"
    path.write_bytes(told)

    with pytest.raises(click.UsageError, match=f"{path} {message}"):
        schema_text(path)
