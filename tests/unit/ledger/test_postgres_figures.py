"""Monitoring is told what the copy lacks now, whatever the database does."""

import pytest

from services.ledger.postgres_figures import watched
from services.ledger.postgres_mark import Mark
from services.ledger.postgres_progress import Progress
from services.runtime import figures
from tests.figures import measuring, points
from tests.unit.ledger.entries import ended, intent


@pytest.fixture(autouse=True)
def _measuring():
    with measuring():
        yield


@pytest.fixture
def progress(path):
    found = Progress(Mark(), lambda _: None)
    watched(path, found)
    return found


def told(figure):
    return [value for _, value in points(figure)]


async def test_tells_what_the_copy_lacks_and_for_how_long(path, ledger, progress):
    for name in ("r1", "r2", "r3"):
        await ledger.begin(intent(name), fingerprint="f")
        await ledger.finish(ended(intent(name)))
    progress.fed(1)

    assert [2] == told(figures.MIRROR_LAG)
    [age_s] = told(figures.MIRROR_LAG_AGE)
    assert 0.0 < age_s < 60.0
    progress.fed(3)
    assert ([0], [0.0]) == (told(figures.MIRROR_LAG), told(figures.MIRROR_LAG_AGE))


def test_tells_whether_it_can_be_fed(progress):
    progress.failed("no route")
    assert [1.0] == told(figures.MIRROR_FAILING)
    progress.fed(1)

    assert [0.0] == told(figures.MIRROR_FAILING)


def test_tells_nothing_of_a_ledger_that_cannot_be_read(progress):
    assert [] == told(figures.MIRROR_LAG)
