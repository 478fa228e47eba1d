"""Fetches one large file: goes on where it stopped, checks its digest, and never overwrites."""

import asyncio
import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from services.core.errors import BackendError
from services.models.settings import proxy_for
from services.models.weights import digest

CHUNK_BYTES: Final = 1 << 20
SPARE_BYTES: Final = 64 * 1024 * 1024
"""Disk space to leave free."""
CONNECT_S: Final = 20.0
SILENCE_S: Final = 60.0
"""Longest wait for the next bytes."""

Tell = Callable[[int], None]
"""Told how many bytes are there so far."""


async def download(
    url: str,
    target: Path,
    *,
    size_bytes: int,
    sha256: str,
    session: aiohttp.ClientSession,
    tell: Tell,
) -> None:
    """Fetch a file of known size and digest; what an earlier try left is gone on with.

    Raises
    ------
    BackendError
        If it cannot be fetched, is another file, exists already, is being
        fetched by another process, or the disk is too full.
    """
    _must_be_new(target)
    partial = target.with_name(f"{target.name}.part")
    with _alone(partial) as file:
        _must_fit(target.parent, size_bytes - _have(file, size_bytes))
        await _fetch(url, file, size_bytes=size_bytes, session=session, tell=tell)
        await asyncio.to_thread(_check, file, partial, sha256)
        _must_be_new(target)
        partial.rename(target)


def _must_be_new(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        raise _failed(f"{target} is there already", cause="WEIGHTS_INVALID")


@contextmanager
def _alone(partial: Path) -> Iterator[BufferedRandom]:
    """The unfinished file, open and locked; the kernel lets go of it if this process dies."""
    with partial.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise _failed(f"another process fetches {partial.stem}", cause="IN_PROGRESS") from err
        yield file


def _have(file: BufferedRandom, size_bytes: int) -> int:
    """Bytes that are there; none of a file that is longer than it may be."""
    have = file.seek(0, 2)
    if have > size_bytes:
        file.truncate(0)
        return 0
    return have


def _must_fit(folder: Path, missing_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if missing_bytes + SPARE_BYTES > free:
        raise _failed(
            f"{missing_bytes / 1e6:.0f} MB are missing, and {folder} has {free / 1e6:.0f} MB free",
            cause="DISK_FULL",
        )


async def _fetch(
    url: str, file: BufferedRandom, *, size_bytes: int, session: aiohttp.ClientSession, tell: Tell
) -> None:
    have = file.seek(0, 2)
    tell(have)
    if have == size_bytes:
        return
    asked = {"Range": f"bytes={have}-"} if have else {}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
    try:
        async with session.get(url, headers=asked, proxy=proxy_for(url), timeout=timeout) as reply:
            if reply.status not in {200, 206}:
                raise _failed(
                    f"{_host(url)} says {reply.status} {reply.reason}", cause="HTTP_STATUS"
                )
            if not _goes_on(reply, have):
                file.truncate(0)
            await _write(reply, file, size_bytes=size_bytes, tell=tell)
    except (aiohttp.ClientError, TimeoutError) as err:
        raise _failed(
            f"{_host(url)} cannot be read: {err or 'too slow'}; the same command goes on from here",
            cause="CONNECTION",
        ) from err


def _goes_on(reply: aiohttp.ClientResponse, have: int) -> bool:
    """Whether the server sends what is missing, not the whole again."""
    return reply.status == 206 and reply.headers.get("Content-Range", "").startswith(
        f"bytes {have}-"
    )


async def _write(
    reply: aiohttp.ClientResponse, file: BufferedRandom, *, size_bytes: int, tell: Tell
) -> None:
    have = file.seek(0, 2)
    async for chunk in reply.content.iter_chunked(CHUNK_BYTES):
        have += len(chunk)
        if have > size_bytes:
            raise _failed(f"the file is longer than {size_bytes} bytes", cause="WEIGHTS_INVALID")
        file.write(chunk)
        tell(have)
    file.flush()
    if have < size_bytes:
        raise _failed(
            f"{have} of {size_bytes} bytes came; the same command goes on from here",
            cause="CONNECTION",
        )


def _check(file: BufferedRandom, partial: Path, sha256: str) -> None:
    """A file of another digest is worth nothing, so the next try starts anew."""
    file.seek(0)
    if (seen := digest(file)) != sha256:
        partial.unlink()
        raise _failed(
            f"what came has SHA-256 {seen}; {sha256} is expected", cause="WEIGHTS_INVALID"
        )


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _failed(message: str, *, cause: str) -> BackendError:
    return BackendError(message, cause=cause, sent=False)
