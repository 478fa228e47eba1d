"""What cannot be read is left out and named; the rest is searched."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.core.deadline import Deadline
from services.core.errors import BackendError, InvalidPlanError
from services.retrieval.folder import listing
from services.retrieval.shelves import Shelf
from tests.unit.retrieval.libraries import BEES, library, sources

EIO = Path("/proc/self/mem")
"""Can be opened by everyone, and not be read."""


class BrokenEmbedder:
    async def embed(self, texts, *, deadline):
        raise BackendError("no key", cause="AUTHENTICATION")


async def test_a_folder_that_is_gone_is_named_and_its_path_is_not(docs, caplog):
    async with library(docs) as search:
        await search("honey")
        for path in docs.iterdir():
            path.unlink()
        docs.rmdir()

        with pytest.raises(InvalidPlanError) as caught:
            await search("honey")

    assert "the folder docs cannot be searched: No such file or directory" == str(caught.value)
    assert [] == [record for record in caplog.records if record.exc_info]


async def test_a_folder_that_is_not_there_at_start_is_named_in_the_log(tmp_path, caplog):
    async with library(tmp_path / "nowhere") as search:
        with pytest.raises(InvalidPlanError, match="the folder nowhere"):
            await search("honey")
        with pytest.raises(InvalidPlanError, match="the folder nowhere"):
            await search("honey")  # it waits for the reading at start

    assert "the folder nowhere cannot be searched" in caplog.text


async def test_embeddings_that_fail_are_told_with_the_folder(opened):
    with ThreadPoolExecutor(1) as thread:
        shelf = Shelf("docs", opened(), thread, BrokenEmbedder())

        with pytest.raises(BackendError, match=r"the folder docs .* no key") as caught:
            await shelf.search("nectar", most=1, deadline=Deadline.after(2.0))

    assert "AUTHENTICATION" == caught.value.cause


async def test_a_file_that_cannot_be_read_is_left_out_and_named_once(docs, caplog):
    (docs / "bad.md").symlink_to(EIO)
    async with library(docs) as search:
        found = [await search(query) for query in ("honey", "april")]

    assert ["bees.md: Honey", "tax.md: Tax"] == [best.source for best, *_ in found]
    warned = [record.getMessage() for record in caplog.records]
    assert [f"'bad.md' is left out of {docs}: Input/output error"] == warned


def test_a_file_that_cannot_be_read_any_more_is_not_quoted(opened, docs):
    index = opened()
    index.refresh()
    (docs / "bees.md").unlink()
    (docs / "bees.md").symlink_to(EIO)

    assert (0, []) == (index.refresh(), sources(index, "honey"))
    (docs / "bees.md").unlink()
    (docs / "bees.md").write_text(BEES)
    assert (1, ["bees.md: Honey"]) == (index.refresh(), sources(index, "honey"))


def test_a_file_that_went_underway_is_no_reason_to_stop(opened, docs, caplog):
    index = opened()

    def go_on():
        (docs / "bees.md").unlink(missing_ok=True)
        return True

    assert (1, ["tax.md: Tax"]) == (index.refresh(go_on=go_on), sources(index, "april"))
    assert [] == caplog.records


def test_a_name_that_is_no_text_is_left_out(opened, docs, caplog):
    Path(os.fsdecode(os.fsencode(docs) + b"/\xff.md")).write_text(BEES)

    assert 2 == opened().refresh()
    assert "its name is no UTF-8" in caplog.text


def test_a_link_in_a_ring_is_left_out(opened, docs, caplog):
    (docs / "ring.md").symlink_to(docs / "ring.md")

    assert 2 == opened().refresh()
    assert "'ring.md' is left out" in caplog.text


@contextmanager
def as_nobody():
    """Without the right to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_within_a_folder_is_left_out():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "open.md").write_text(BEES)
        (folder / "closed").mkdir(mode=0)

        with as_nobody():
            found = listing(folder, ("**/*.md",))

    assert (["open.md"], {"closed": "Permission denied"}) == ([*found.files], found.unreadable)


def test_a_folder_that_may_not_be_read_is_told():
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0)

        with as_nobody(), pytest.raises(PermissionError):
            listing(Path(place), ("**/*.md",))
        Path(place).chmod(0o700)
