"""The shelf of trained routers: a folder with a file each by id, and which of them is in use.

| file          | what it is                                                                   |
|---------------|------------------------------------------------------------------------------|
| `ID.json`     | a trained router                                                             |
| `ID.keys`     | digests of the prompts that it learned from, one a line                      |
| `in_use.json` | what was put in use, oldest first; the last one is. Replaced whole, at once  |
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from services.routing.artefact import Routing, RoutingError, read, write

POINTER: Final = "in_use.json"
MAX_USES: Final = 100
"""Of which the shelf knows; older ones are forgotten."""
MAX_POINTER_BYTES: Final = 1024 * 1024

Stamp = tuple[int, int, int] | None
"""Changes whenever what is in use may have; None: nothing ever was."""


class ShelfError(ValueError):
    """A shelf that cannot be used as asked; tells what is there."""


@checked(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Use:
    """What was put in use."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{12}$")]
    since: Annotated[str, Field(max_length=64)]
    """When, ISO 8601 in UTC."""


USES: Final = TypeAdapter(Annotated[tuple[Use, ...], Field(max_length=MAX_USES)])


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of trained routers."""

    folder: Path

    def put(self, routing: Routing, learned_from: Sequence[str]) -> Path:
        """Keep a trained router, and the digests of the prompts that it learned from."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _replace(self.keys_path(routing.id), "".join(f"{key}\n" for key in sorted(learned_from)))
        write(routing, self.path(routing.id))
        return self.path(routing.id)

    def read(self, id_: str) -> Routing:
        """Read and check one.

        Raises
        ------
        RoutingError
            If it is broken, or is another one than its name says.
        """
        found = read(self.path(id_))
        if found.id != id_:
            raise RoutingError(f"{self.path(id_)}: holds router {found.id}")
        return found

    def keys(self, id_: str) -> frozenset[str]:
        """Digests of the prompts that it learned from.

        Raises
        ------
        ShelfError
            If they are not known: whether a prompt is new to it cannot be told.
        """
        try:
            return frozenset(self.keys_path(id_).read_text(encoding="ascii").split())
        except (OSError, ValueError) as err:
            raise ShelfError(f"{self.keys_path(id_)}: cannot be read: {err}") from err

    def path(self, id_: str) -> Path:
        return self.folder / f"{id_}.json"

    def keys_path(self, id_: str) -> Path:
        return self.folder / f"{id_}.keys"

    def ids(self) -> list[str]:
        """All that are there, newest first."""
        found = [path for path in self.folder.glob("*.json") if path.name != POINTER]
        return [path.stem for path in sorted(found, key=lambda p: (-p.stat().st_mtime_ns, p.name))]

    def find(self, start: str) -> str:
        """The one id that begins like this.

        Raises
        ------
        ShelfError
            If none does, or several do.
        """
        found = [id_ for id_ in self.ids() if id_.startswith(start)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(found or self.ids()) or "none"
        what = "several routers" if found else "no router"
        raise ShelfError(f"{self.folder} has {what} {start!r}; there are: {known}")

    @property
    def stamp(self) -> Stamp:
        """Tells whether what is in use may have changed."""
        try:
            found = (self.folder / POINTER).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def uses(self) -> tuple[Use, ...]:
        """What was put in use and not taken back, oldest first.

        Raises
        ------
        ShelfError
            If the pointer is broken.
        """
        path = self.folder / POINTER
        try:
            if path.stat().st_size > MAX_POINTER_BYTES:
                raise ShelfError(f"{path}: has more than {MAX_POINTER_BYTES} bytes")
            return USES.validate_json(path.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as err:
            raise ShelfError(f"{path}: cannot be read: {err.strerror}") from err
        except ValidationError as err:
            first = err.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise ShelfError(f"{path}: {where}: {first['msg'].lower()}") from err

    def current(self) -> str | None:
        """Id of the one in use; None: none is.

        Raises
        ------
        ShelfError
            If the pointer is broken.
        """
        uses = self.uses()
        return uses[-1].id if uses else None

    def use(self, id_: str, *, now: str) -> None:
        """Put one in use, from the next request on.

        Raises
        ------
        RoutingError
            If it is broken.
        ShelfError
            If another command changes the shelf just now.
        """
        self.read(id_)
        with self._changing():
            uses = self.uses()
            if not uses or uses[-1].id != id_:
                self._point([*uses, Use(id_, now)][-MAX_USES:])

    def roll_back(self) -> str | None:
        """Take the one in use back, and tell what is in use then; None: none is.

        Raises
        ------
        ShelfError
            If none is in use, or another command changes the shelf just now.
        RoutingError
            If the one before it is broken.
        """
        if not self.folder.is_dir():
            raise ShelfError(f"{self.folder}: no router is in use")
        with self._changing():
            uses = self.uses()
            if not uses:
                raise ShelfError(f"{self.folder}: no router is in use")
            before = uses[-2].id if len(uses) > 1 else None
            if before is not None:
                self.read(before)
            self._point(uses[:-1])
        return before

    def _point(self, uses: Sequence[Use]) -> None:
        content = json.dumps([asdict(use) for use in uses], indent=1)
        _replace(self.folder / POINTER, content + "\n")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the shelf's lock, which the kernel releases if this process dies."""
        with (self.folder / ".lock").open("a", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as err:
                raise ShelfError(f"{self.folder}: another command changes it just now") from err
            yield


def _replace(path: Path, content: str) -> None:
    """Replace a file at once, so that no reader sees half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    draft.write_text(content, encoding="utf-8")
    draft.replace(path)
