"""The text files of a folder."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

MOST_FILE_BYTES: Final = 4 * 1024 * 1024
"""Longer files are no documents but data."""

Stamp = tuple[int, int]
"""Time of the last change in nanoseconds, and size in bytes."""


def files(folder: Path, patterns: Sequence[str]) -> Iterator[tuple[str, Stamp]]:
    """Paths within the folder that match a pattern; hidden files and folders are left out.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    wanted = [matcher(pattern) for pattern in patterns]
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            relative = path.relative_to(folder).as_posix()
            if not name.startswith(".") and any(one.fullmatch(relative) for one in wanted):
                yield from _stamped(path, relative)


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


def _stamped(path: Path, relative: str) -> Iterator[tuple[str, Stamp]]:
    """The file with its stamp; nothing when it is no file, too long, or just gone."""
    try:
        stat = path.stat()
    except OSError:
        return
    if path.is_file() and stat.st_size <= MOST_FILE_BYTES:
        yield relative, (stat.st_mtime_ns, stat.st_size)
