"""The text files of a folder."""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MOST_FILE_BYTES: Final = 4 * 1024 * 1024
"""Longer files are no documents but data."""

Stamp = tuple[int, int]
"""Time of the last change in nanoseconds, and size in bytes."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds."""

    files: dict[str, Stamp] = field(default_factory=dict)
    """By path within the folder."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Why a file or folder within it is left out, by its path."""


def listing(folder: Path, patterns: Sequence[str]) -> Listing:
    """Files that match a pattern; hidden files and folders are left out.

    Raises
    ------
    OSError
        If there is no such folder, or it cannot be read.
    """
    os.scandir(folder).close()  # `walk` tells nobody when it can read nothing
    found = Listing()
    wanted = [matcher(pattern) for pattern in patterns]
    for relative in _paths(folder, found.unreadable):
        if any(one.fullmatch(relative) for one in wanted):
            _stamp(folder / relative, relative, found)
    return found


def text_of(path: Path) -> str:
    """A file's text; bytes that are no UTF-8 are replaced.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(MOST_FILE_BYTES).decode("utf-8", errors="replace")


def _paths(folder: Path, unreadable: dict[str, str]) -> Iterator[str]:
    """Every file that is not hidden, as a path within the folder."""

    def leave_out(err: OSError) -> None:
        if not isinstance(err, FileNotFoundError):  # else it is just gone
            unreadable[Path(err.filename).relative_to(folder).as_posix()] = why(err)

    for parent, folders, names in os.walk(folder, onerror=leave_out):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(parent, name).relative_to(folder).as_posix()


def matcher(pattern: str) -> re.Pattern[str]:
    """A pattern as an expression: `*` and `?` stay within a folder, `**/` is any folders.

    Examples
    --------
    >>> [bool(matcher("**/*.md").fullmatch(path)) for path in ("a.md", "b/c/a.md", "a.mdx")]
    [True, True, False]
    >>> bool(matcher("*.md").fullmatch("b/a.md"))
    False
    """
    known = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(known.get(part) or re.escape(part) for part in parts))


def why(err: OSError) -> str:
    """What a file or folder cannot be read for, without its path."""
    return err.strerror or type(err).__name__


def _stamp(path: Path, relative: str, found: Listing) -> None:
    """Add the file, or why it is left out; neither when it is no file, too long, or just gone."""
    try:
        relative.encode()  # the index holds no other names
        about = path.stat()
    except FileNotFoundError:
        return
    except UnicodeEncodeError:
        found.unreadable[relative] = "its name is no UTF-8"
    except OSError as err:
        found.unreadable[relative] = why(err)
    else:
        if stat.S_ISREG(about.st_mode) and about.st_size <= MOST_FILE_BYTES:
            found.files[relative] = (about.st_mtime_ns, about.st_size)
