"""Standard output and error: what cannot be shown there is escaped, what cannot be written is dropped."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO


def prepare() -> None:
    """Have output that is closed go nowhere, and escape what its encoding lacks."""
    sys.stdout = _usable(sys.stdout)
    sys.stderr = _usable(sys.stderr)


def finish() -> OSError | None:
    """Write what is left; what hindered that, such as a full disk or a reader that has gone."""
    hindered = [_flushed(stream) for stream in (sys.stdout, sys.stderr)]
    return next(filter(None, hindered), None)


def _usable(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _flushed(stream: TextIO) -> OSError | None:
    try:
        stream.flush()
    except OSError as err:
        # Python would try again at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return err
    return None
