"""Ensembles of three tiers with one model each, tried in their order; for each turn its own."""

from tests.fault.five import Section, model, turns

TIERS = ("first", "second", "third")


def tiered(url: str, name: str, *called: str) -> tuple[Section, Section]:
    """Models and an ensemble `{name}-{turn}` whose tiers ask what the stub knows as `called`."""
    models: Section = {}
    ensembles: Section = {}
    for turn in turns():
        names = [f"{name}-{tier}-{turn}" for tier in TIERS]
        for nth, (own, each) in enumerate(zip(names, called, strict=True)):
            price = {"input_usd_per_mtok": 1.0 + nth, "output_usd_per_mtok": 1.0 + nth}
            models[own] = model(each, url, price=price, adequacy=0.7 + 0.1 * nth)
        ensembles[f"{name}-{turn}"] = {
            "pattern": "route",
            "tiers": [
                {"name": tier, "jurors": [{"model": own}]}
                for tier, own in zip(TIERS, names, strict=True)
            ],
        }
    return models, ensembles
