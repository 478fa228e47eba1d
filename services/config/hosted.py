"""Configurations made from the API keys that are there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

OFFERS: Final = Path(__file__).with_name("hosted.yaml")

Tree = dict[str, Any]
"""A configuration as plain data."""

DEFAULT_TIMEOUT_S: Final = 60
GRACE_S: Final = 5
"""Seconds that a jury of two waits for its second answer: either may answer alone."""


def keys_in(env: Mapping[str, str]) -> list[str]:
    """Names of the providers' API keys that the environment has."""
    return [key for key in _offers() if env.get(key)]


def from_keys(keys: list[str]) -> Tree:
    """A configuration that asks the providers of these keys; at least one."""
    offers = [_offers()[key] for key in keys]
    small = {name: spec for offer in offers for name, spec in offer["small"].items()}
    large = {name: spec for offer in offers for name, spec in offer["large"].items()}
    several = len(offers) > 1
    ensembles = _of_families(small, large) if several else _of_one_family(small, large)
    return {"version": 1, "models": small | large, "ensembles": ensembles}


def _offers() -> Tree:
    offers: Tree = yaml.safe_load(OFFERS.read_text(encoding="utf-8"))
    return {key: offer for key, offer in offers.items() if not key.startswith(".")}


def _of_families(small: Tree, large: Tree) -> Tree:
    first, *others = large
    return {
        "default": {
            "pattern": "jury",
            "description": "A small model of each family answers; a large one of another judges.",
            "default_timeout_s": DEFAULT_TIMEOUT_S,
            **_jury(small),
            "judge": {"models": list(large)},
        },
        "quick": _cascade(next(iter(small)), first, judge={"models": others}),
    }


def _of_one_family(small: Tree, large: Tree) -> Tree:
    family = next(iter(small.values()))["family"]
    return {
        "default": _cascade(*small, *large, judge={}),
        "jury": {
            "pattern": "jury",
            "description": f"Self-family: all jurors are {family}, so agreement proves little and"
            " no other family judges. The key of a second provider mends that.",
            "default_timeout_s": DEFAULT_TIMEOUT_S,
            **_jury(small | large),
            "judge": {},
        },
    }


def _jury(models: Tree) -> Tree:
    jury: Tree = {"jurors": [{"model": name} for name in models]}
    return jury | {"quorum": 1, "grace_s": GRACE_S} if len(models) == 2 else jury


def _cascade(small: str, large: str, *, judge: Tree) -> Tree:
    return {
        "pattern": "route",
        "description": "A small model answers what it can, a large one the rest.",
        "default_timeout_s": DEFAULT_TIMEOUT_S,
        "tiers": [
            {"name": "small", "jurors": [{"model": small}]},
            {"name": "large", "jurors": [{"model": large}]},
        ],
        "judge": judge,
    }
