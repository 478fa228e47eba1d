"""A servicer that compares prose by its words."""

import pytest

from aggregator_svc.compose import composed
from tests.unit.aggregator.serving import loaded


@pytest.fixture
async def servicer(tmp_path):
    async with composed(loaded(tmp_path, "none"), engines={}) as servicer:
        yield servicer
