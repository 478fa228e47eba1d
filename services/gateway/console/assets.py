"""The files that pages load, read once: an address that names none of them is not found."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    "": "text/plain; charset=utf-8",
}
"""By suffix; files without one are licences."""
FOLDERS: Final = ("", "uplot")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    content: bytes
    media_type: str
    digest: str
    """First 16 hex digits of its SHA-256: another file has another address."""


class Assets:
    """All files by name, such as `uplot/uPlot.min.css`."""

    def __init__(self) -> None:
        static = files(__package__).joinpath("static")
        self._assets = {
            f"{folder}/{each.name}".lstrip("/"): _asset(each)
            for folder in FOLDERS
            for each in static.joinpath(folder).iterdir()
            if each.is_file()
        }

    def get(self, name: str) -> Asset | None:
        return self._assets.get(name)

    def address(self, name: str) -> str:
        """Where a page finds a file that there is."""
        return f"/static/{name}?v={self._assets[name].digest}"


def _asset(file: Traversable) -> Asset:
    content = file.read_bytes()
    _, dot, suffix = file.name.rpartition(".")
    media_type = MEDIA_TYPES[f"{dot}{suffix}" if dot else ""]
    return Asset(content, media_type, hashlib.sha256(content).hexdigest()[:16])
