"""Options take what they can use, and say what that is."""

import click
import pytest

from services.cli.options import DOLLARS, OUT_FILE, SECONDS, Address


@pytest.mark.parametrize("kind", [SECONDS, DOLLARS], ids=["seconds", "dollars"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "-1", "soon"])
def test_an_amount_is_a_finite_number_of_its_range(kind, value):
    with pytest.raises(click.BadParameter):
        kind.convert(value, None, None)


def test_an_amount_is_taken():
    assert 2.5 == SECONDS.convert("2.5", None, None)


@pytest.mark.parametrize("value", ["127.0.0.1:50051", "gateway.example:443", "[::1]:50051"])
def test_an_address_is_taken(value):
    assert value == Address().convert(value, None, None)


@pytest.mark.parametrize(
    "value",
    ["", "here", "here:", ":50051", "here:x", "here:70000", "here:²", "http://here:1", "::1:1"],
)
def test_what_is_no_address_is_refused(value):
    with pytest.raises(click.BadParameter, match="must be host:port"):
        Address().convert(value, None, None)


def test_a_file_to_write_is_in_a_folder_that_is_there(tmp_path):
    assert tmp_path / "new.json" == OUT_FILE.convert(str(tmp_path / "new.json"), None, None)


@pytest.mark.parametrize(
    ("place", "message"),
    [("nowhere/new.json", "there is no folder"), (".", "is a directory")],
)
def test_where_nothing_can_be_written_is_told_before_the_work(tmp_path, place, message):
    with pytest.raises(click.BadParameter, match=message):
        OUT_FILE.convert(str(tmp_path / place), None, None)
