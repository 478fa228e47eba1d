"""Whatever becomes of the terminal, a command ends in order."""

import errno
import io
import os
import pathlib
import sys

import pytest

from services.cli.outputs import finish, prepare


@pytest.fixture
def output(monkeypatch):
    """Stand in for standard output."""

    def put(stream):
        monkeypatch.setattr("sys.stdout", stream)

    return put


def test_what_the_encoding_lacks_is_escaped(output):
    kept = io.BytesIO()
    output(io.TextIOWrapper(kept, encoding="ascii"))

    prepare()
    sys.stdout.write("né \udce9")

    assert finish() is None
    assert rb"n\xe9 \udce9" in kept.getvalue()


def test_a_closed_output_takes_everything(output):
    output(None)

    prepare()
    with sys.stdout:
        sys.stdout.write("nobody reads this")

        assert finish() is None


def test_a_reader_that_has_gone_is_noticed_once(output):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        output(stream)
        sys.stdout.write("nobody reads this")

        assert isinstance(finish(), BrokenPipeError)
        assert finish() is None


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="a Linux device")
def test_a_full_disk_is_noticed(output):
    with pathlib.Path("/dev/full").open("w") as stream:
        output(stream)
        sys.stdout.write("there is no space for this")

        assert errno.ENOSPC == finish().errno
