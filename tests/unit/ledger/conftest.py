import pytest

from services.ledger.sqlite import open_ledger


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


@pytest.fixture
async def ledger(path):
    async with open_ledger(path) as opened:
        yield opened
