"""Whether somebody serves is a question that any address can be asked."""

import pytest

from services.cli.health import is_serving


@pytest.mark.parametrize("host", ["..", "a" * 70, "127.0.0.1"])
async def test_nobody_serves_where_nobody_can_be(host):
    assert not await is_serving(f"{host}:1", "gremium.v1.EnsembleService")
