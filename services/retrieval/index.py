"""The passages of one folder in SQLite: full text by FTS5, and a vector for each.

Blocking; `services.retrieval.shelves` runs it on a thread of its own.
"""

import logging
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.retrieval.folder import Stamp, listing, text_of, why
from services.retrieval.passages import pieces

logger = logging.getLogger(__name__)

VERSION: Final = "1"
"""Of this file's tables and of how texts are cut; another one starts the index anew."""
WORD: Final = re.compile(r"\w+")
MOST_WORDS: Final = 64
TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE files (path TEXT PRIMARY KEY, mtime_ns INTEGER NOT NULL, size INTEGER NOT NULL);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL,
    vector BLOB
);
CREATE INDEX passages_by_path ON passages (path);
CREATE VIRTUAL TABLE words USING fts5 (
    heading, text, content='passages', content_rowid='id', tokenize='porter unicode61'
);
CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN
    INSERT INTO words (rowid, heading, text) VALUES (new.id, new.heading, new.text);
END;
CREATE TRIGGER passage_removed AFTER DELETE ON passages BEGIN
    INSERT INTO words (words, rowid, heading, text)
    VALUES ('delete', old.id, old.heading, old.text);
END;
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that was found."""

    source: str
    """Path within the folder, and the headings it stands under."""
    text: str


class Index:
    """One open index file. For one thread at a time."""

    def __init__(self, path: Path, *, folder: Path, patterns: Sequence[str], embedder: str) -> None:
        """Open the index; start it anew where it was made from other settings."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._patterns = patterns
        self._left_out: set[str] = set()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA busy_timeout=5000")
        self._prepare({"version": VERSION, "folder": str(folder), "embedder": embedder})

    def close(self) -> None:
        self._db.close()

    def refresh(self, *, go_on: Callable[[], bool] = lambda: True) -> int:
        """Take in what changed in the folder, by time and size; return how many files did.

        Each file is one transaction: what was read stays when `go_on` says stop. A file
        that cannot be read is left out, and tried again next time.

        Raises
        ------
        OSError
            If the folder itself cannot be read.
        """
        known = {path: (mtime, size) for path, mtime, size in self._rows("SELECT * FROM files")}
        there = listing(self._folder, self._patterns)
        for path in known.keys() - there.files.keys():
            with self._transaction():
                self._forget(path)
        changed = {path: stamp for path, stamp in there.files.items() if known.get(path) != stamp}
        done, unreadable = self._take_in_all(changed, go_on)
        self._warn(there.unreadable | unreadable)
        return done

    def without_vector(self, most: int) -> list[tuple[int, str]]:
        """Ids and texts of passages that have no vector yet."""
        query = "SELECT id, heading || char(10) || text FROM passages WHERE vector IS NULL LIMIT ?"
        return self._rows(query, most)

    def add_vectors(self, ids: Iterable[int], vectors: NDArray[np.float32]) -> None:
        rows = [(row.tobytes(), one) for one, row in zip(ids, vectors, strict=True)]
        with self._transaction():
            self._db.executemany("UPDATE passages SET vector = ? WHERE id = ?", rows)

    def by_words(self, query: str, most: int) -> list[int]:
        """Ids by BM25, best first. A heading counts twice as much as the text."""
        words = list(dict.fromkeys(WORD.findall(query)))[:MOST_WORDS]
        if not words:
            return []
        quoted = " OR ".join(f'"{word}"' for word in words)
        ranked = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, 2.0, 1.0), rowid"
        return [one for (one,) in self._rows(f"{ranked} LIMIT ?", quoted, most)]

    def by_meaning(self, vector: NDArray[np.float32], most: int) -> list[int]:
        """Ids by cosine similarity to a unit vector, best first; only what is alike at all."""
        rows = self._rows("SELECT id, vector FROM passages WHERE vector IS NOT NULL ORDER BY id")
        if not rows or not vector.any():
            return []
        ids = [one for one, _ in rows]
        held = np.frombuffer(b"".join(blob for _, blob in rows), dtype=np.float32)
        similar = held.reshape(len(ids), -1) @ vector
        best = np.argsort(-similar, kind="stable")[:most]
        return [ids[i] for i in best if similar[i] > 0.0]

    def passages(self, ids: Sequence[int]) -> list[Found]:
        """The passages of some ids, in their order."""
        marks = ",".join("?" * len(ids))
        query = f"SELECT id, path, heading, text FROM passages WHERE id IN ({marks})"  # noqa: S608  marks only
        by_id = {one: (path, heading, text) for one, path, heading, text in self._rows(query, *ids)}
        return [_found(*by_id[one]) for one in ids if one in by_id]

    def _prepare(self, settings: dict[str, str]) -> None:
        tables = {name for (name,) in self._rows("SELECT name FROM sqlite_master")}
        if "meta" in tables and dict(self._rows("SELECT key, value FROM meta")) == settings:
            return
        with self._transaction():
            for table in ("words", "passages", "files", "meta"):
                self._db.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in _statements(TABLES):
                self._db.execute(statement)
            self._db.executemany("INSERT INTO meta VALUES (?, ?)", settings.items())

    def _take_in_all(
        self, changed: Mapping[str, Stamp], go_on: Callable[[], bool]
    ) -> tuple[int, dict[str, str]]:
        """How many files were read until `go_on` said stop, and why others cannot be."""
        done, unreadable = 0, dict[str, str]()
        for path, stamp in changed.items():
            if not go_on():
                break
            try:
                self._take_in(path, stamp, text_of(self._folder / path))
                done += 1
            except OSError as err:
                with self._transaction():
                    self._forget(path)
                if not isinstance(err, FileNotFoundError):  # else it is just gone
                    unreadable[path] = why(err)
        return done, unreadable

    def _take_in(self, path: str, stamp: Stamp, text: str) -> None:
        """Put a file's text in the place of the one that it had before."""
        with self._transaction():
            self._forget(path)
            self._db.execute("INSERT INTO files VALUES (?, ?, ?)", (path, *stamp))
            self._db.executemany(
                "INSERT INTO passages (path, heading, text) VALUES (?, ?, ?)",
                [(path, piece.heading, piece.text) for piece in pieces(text)],
            )

    def _warn(self, unreadable: dict[str, str]) -> None:
        """Name what is left out, once for as long as it cannot be read."""
        for path in sorted(unreadable.keys() - self._left_out):
            logger.warning("%r is left out of %s: %s", path, self._folder, unreadable[path])
        self._left_out = set(unreadable)

    def _forget(self, path: str) -> None:
        self._db.execute("DELETE FROM passages WHERE path = ?", (path,))
        self._db.execute("DELETE FROM files WHERE path = ?", (path,))

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(self._db.execute(query, values)) as cursor:
            return cursor.fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _found(path: str, heading: str, text: str) -> Found:
    return Found(f"{path}: {heading}" if heading else path, text)


def _statements(script: str) -> Iterator[str]:
    """Statements of a script one by one: `executescript` would end the transaction."""
    held = ""
    for line in script.splitlines():
        held += f"{line}\n"
        if sqlite3.complete_statement(held):
            yield held
            held = ""
