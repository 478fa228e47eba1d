import pytest

from services.ledger.sqlite import open_ledger


@pytest.fixture
async def ledger(tmp_path):
    async with open_ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened
