"""A large file comes whole or not at all, and a second try goes on where the first one stopped."""

import asyncio
import fcntl
import hashlib

import pytest
from aiohttp import web

from services.core.errors import BackendError
from services.models import download as downloading
from services.models.download import download
from services.models.endpoint import open_session

CONTENT = b"GGUF" + bytes(range(256)) * 40_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Hub:
    """Serves one file; counts what it was asked for, and can break off."""

    def __init__(self):
        self.ranges = []
        self.breaks_after = None
        self.takes_ranges = True
        self.status = 200
        self.content = CONTENT

    async def serve(self, request):
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.takes_ranges else 0
        if self.status != 200:
            return web.Response(status=self.status)
        body = self.content[start:]
        headers = {"Content-Length": str(len(body))}
        if asked and self.takes_ranges:
            headers["Content-Range"] = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        reply = web.StreamResponse(status=206 if start else 200, headers=headers)
        await reply.prepare(request)
        await reply.write(body[: self.breaks_after])
        if self.breaks_after is not None:
            await asyncio.sleep(0.05)
            request.transport.abort()
        return reply


@pytest.fixture
async def hub():
    hub = Hub()
    app = web.Application()
    app.router.add_get("/x.gguf", hub.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hub.url = f"http://127.0.0.1:{runner.addresses[0][1]}/x.gguf"
    yield hub
    await runner.cleanup()


async def fetch(hub, target, *, sha256=SHA256, tell=str):
    async with open_session() as session:
        await download(
            hub.url, target, size_bytes=len(CONTENT), sha256=sha256, session=session, tell=tell
        )


async def broken_off(hub, target, after):
    hub.breaks_after = after
    with pytest.raises(BackendError, match="goes on from here"):
        await fetch(hub, target)
    hub.breaks_after = None


async def test_a_file_comes_whole_and_tells_how_far_it_is(hub, tmp_path):
    told = []
    await fetch(hub, tmp_path / "deep/x.gguf", tell=told.append)

    assert CONTENT == (tmp_path / "deep/x.gguf").read_bytes()
    assert (0, len(CONTENT)) == (told[0], told[-1])
    assert ["x.gguf"] == [path.name for path in (tmp_path / "deep").iterdir()]


async def test_the_next_try_goes_on_where_the_last_one_stopped(hub, tmp_path):
    target = tmp_path / "x.gguf"
    await broken_off(hub, target, 3_000_000)
    have = (tmp_path / "x.gguf.part").stat().st_size
    assert not target.exists()

    await fetch(hub, target)

    assert 0 < have <= 3_000_000
    assert [None, f"bytes={have}-"] == hub.ranges
    assert CONTENT == target.read_bytes()


async def test_a_server_that_knows_no_ranges_sends_all_again(hub, tmp_path):
    await broken_off(hub, tmp_path / "x.gguf", 3_000_000)
    hub.takes_ranges = False

    await fetch(hub, tmp_path / "x.gguf")

    assert CONTENT == (tmp_path / "x.gguf").read_bytes()


async def test_another_digest_leaves_nothing(hub, tmp_path):
    with pytest.raises(BackendError, match=SHA256):
        await fetch(hub, tmp_path / "x.gguf", sha256="0" * 64)

    assert [] == list(tmp_path.iterdir())


async def test_more_bytes_than_expected_are_not_kept(hub, tmp_path):
    hub.content = CONTENT + b"more"

    with pytest.raises(BackendError, match="longer than"):
        await fetch(hub, tmp_path / "x.gguf")

    assert (tmp_path / "x.gguf.part").stat().st_size <= len(CONTENT)


async def test_a_refusal_is_told(hub, tmp_path):
    hub.status = 404

    with pytest.raises(BackendError, match=r"127\.0\.0\.1 says 404"):
        await fetch(hub, tmp_path / "x.gguf")


async def test_a_file_that_is_there_is_not_overwritten(hub, tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"mine")

    with pytest.raises(BackendError, match="there already"):
        await fetch(hub, tmp_path / "x.gguf")

    assert (b"mine", []) == ((tmp_path / "x.gguf").read_bytes(), hub.ranges)


async def test_a_full_disk_is_told_before_anything_is_fetched(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "SPARE_BYTES", 1 << 60)

    with pytest.raises(BackendError, match="MB are missing"):
        await fetch(hub, tmp_path / "x.gguf")

    assert [] == hub.ranges


async def test_two_processes_do_not_write_the_same_file(hub, tmp_path):
    with (tmp_path / "x.gguf.part").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(BackendError, match="another process"):
            await fetch(hub, tmp_path / "x.gguf")


async def test_nobody_at_the_address_is_told(tmp_path, hub):
    hub.url = "http://127.0.0.1:1/x.gguf"

    with pytest.raises(BackendError, match="cannot be read"):
        await fetch(hub, tmp_path / "x.gguf")
