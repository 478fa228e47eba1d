"""What routers would have been worth to the ensembles that explore, by the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from router_svc.catalog import ensemble_profiles
from router_svc.learned import Known
from router_svc.replay import Trial, Worth, trials_of, worth_of
from router_svc.terms import Terms
from services.config.tree import LoadedConfig
from services.ledger.routed import answered
from services.routing.artefact import Routing
from services.routing.configured import embedding_name, shelf_of
from services.routing.off_policy import NoSupportError
from services.routing.shelf import ShelfError


@dataclass(frozen=True, slots=True)
class Replayed:
    """What both routers would have been worth to one ensemble, or why that is not known."""

    ensemble: str
    n: int
    """Requests whose tier was drawn and judged, and of which neither router learned."""
    worths: tuple[Worth | str, ...]


def replayed(
    loaded: LoadedConfig, both: tuple[Routing, Routing], ensembles: tuple[str, ...]
) -> Iterator[Replayed]:
    """What either would have been worth to each ensemble that explores.

    Raises
    ------
    click.ClickException
        If what they learned from is not known.
    LedgerError
        If the ledger cannot be read.
    """
    shelf, ledger = shelf_of(loaded), loaded.resolve(loaded.config.ledger.path)
    embedding = embedding_name(loaded.config.embeddings)
    try:
        learned = frozenset().union(*(shelf.keys(routing.id) for routing in both))
    except ShelfError as err:
        raise click.ClickException(str(err)) from err
    for name, profile in ensemble_profiles(loaded.config).items():
        terms = profile.terms
        if terms is None or terms.explore is None or name not in (ensembles or (name,)):
            continue
        here = (manifest for manifest in answered(ledger) if manifest.ensemble == name)
        trials = trials_of(here, embedding=embedding, learned_from=learned)
        known = (Known(routing, loaded.config.models) for routing in both)
        yield Replayed(name, len(trials), tuple(_worth_or_why(k, trials, terms) for k in known))


def _worth_or_why(known: Known, trials: list[Trial], terms: Terms) -> Worth | str:
    if not trials:
        return "no tier was drawn and judged of a prompt whose embedding was recorded"
    try:
        return worth_of(known, trials, terms)
    except NoSupportError as err:
        return str(err)


def told_replays(both: tuple[Routing, Routing], replays: list[Replayed]) -> Iterator[str]:
    """What that was, one line each."""
    if not replays:
        yield "nothing was tried: no ensemble has `policy.explore`, so that no worth can be estimated"
    for each in replays:
        yield f"ensemble {each.ensemble}, from {each.n} requests whose tier was drawn:"
        for routing, worth in zip(both, each.worths, strict=True):
            yield f"  {routing.id}: {worth if isinstance(worth, str) else _worth(worth)}"


def _worth(worth: Worth) -> str:
    quality, cost = worth.quality, worth.cost_usd
    return (
        f"quality {quality.mean:.3f} ± {quality.standard_error:.3f}"
        f" ({quality.gain:+.3f} ± {quality.gain_error:.3f} against what was done),"
        f" ${cost.mean:.6f} ± {cost.standard_error:.6f} ({cost.gain:+.6f}) a request;"
        f" tells as much as {quality.n_effective:.0f} of its own decisions,"
        f" {worth.agrees:.0%} are the same"
    )


def replay_report(each: Replayed) -> dict[str, Any]:
    """The same for programs."""
    a, b = (_worth_report(worth) for worth in each.worths)
    return {"ensemble": each.ensemble, "requests": each.n, "a": a, "b": b}


def _worth_report(worth: Worth | str) -> dict[str, Any]:
    if isinstance(worth, str):
        return {"refused": worth}
    return {
        "quality": worth.quality.mean,
        "quality_error": worth.quality.standard_error,
        "quality_gain": worth.quality.gain,
        "quality_gain_error": worth.quality.gain_error,
        "cost_usd": worth.cost_usd.mean,
        "cost_usd_error": worth.cost_usd.standard_error,
        "n_effective": worth.quality.n_effective,
        "agrees": worth.agrees,
    }
