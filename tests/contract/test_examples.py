"""What a docstring shows is true."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("services", "router_svc", "jury_svc", "judge_svc", "aggregator_svc")
    for path in (ROOT / folder).rglob("*.py")
    if ">>> " in path.read_text()
)


@pytest.mark.parametrize("module", SHOWN)
def test_examples_hold(module):
    assert 0 == doctest.testmod(import_module(module)).failed
