"""Ensembles of three tiers with one model each, tried in their order; for each turn its own."""

import json

from tests.fault.five import TURNS, model

TIERS = ("first", "second", "third")


def tiered(url: str, *firsts: str, turns: int = TURNS) -> str:
    """Configuration of an ensemble `{first}-{turn}` for each of the first tiers' models."""
    models, ensembles = {}, {}
    for first in firsts:
        for turn in range(1, turns + 1):
            names = [f"{first}-{tier}-{turn}" for tier in TIERS]
            for nth, (name, called) in enumerate(
                zip(names, (first, "backup", "last"), strict=True)
            ):
                price = {"input_usd_per_mtok": 1.0 + nth, "output_usd_per_mtok": 1.0 + nth}
                models[name] = model(called, url, price=price, adequacy=0.7 + 0.1 * nth)
            ensembles[f"{first}-{turn}"] = {
                "pattern": "route",
                "tiers": [
                    {"name": tier, "jurors": [{"model": name}]}
                    for tier, name in zip(TIERS, names, strict=True)
                ],
            }
    whole = {
        "version": 1,
        "models": models,
        "ensembles": ensembles,
        "default_ensemble": next(iter(ensembles)),
        "embeddings": {"backend": "none"},
    }
    return json.dumps(whole)
