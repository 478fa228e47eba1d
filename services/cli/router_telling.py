"""What routers are worth, in words, as a table, and for programs. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from rich.table import Table

from services.cli.show import plain_table
from services.routing.artefact import Routing
from services.routing.evaluate import Curve
from services.routing.measuring import Fit, Frontier, Measured, Pair
from services.routing.shelf import Use


def told_of_measured(found: Measured) -> Iterator[str]:
    """What was measured, one line each."""
    if found.pair is not None:
        yield from _pair(found.pair)
    if found.frontier is not None:
        yield _frontier(found.frontier)
    for fit in found.fits:
        yield _fit(fit)
    yield from found.notes


def _pair(pair: Pair) -> Iterator[str]:
    ours = pair.curves["router"]
    weak, strong = f"{pair.weak} {ours.weak:.1%}", f"{pair.strong} {ours.strong:.1%}"
    yield f"{weak} or {strong}, on {pair.n} prompts:"
    yield f"  {'':13} {'APGR':>6} {'CPT50':>7} {'CPT80':>7} {'PGR 50%':>7}  router less it"
    for name, each in sorted(pair.curves.items(), key=lambda item: item[0] != "router"):
        figures = [f"{each.apgr:6.3f}", f"{each.cpt(0.5):7.1%}", f"{each.cpt(0.8):7.1%}"]
        low, high = pair.gains.get(name, (float("nan"),) * 2)
        gain = (
            f"  {ours.apgr - each.apgr:+.3f} ({low:+.3f} to {high:+.3f})"
            if name in pair.gains
            else ""
        )
        yield f"  {name:13} {' '.join(figures)} {each.pgr(0.5):7.3f}{gain}"


def _frontier(found: Frontier) -> str:
    alone = f"{found.best} alone is right in {found.best_quality:.1%} at ${found.best_cost_usd:.6f}"
    equal = found.cost_at_equal_quality
    if not isfinite(equal):
        return f"{alone} a prompt; the router never reaches that (of {found.n} prompts)"
    share = f", {equal / found.best_cost_usd:.0%} of that" if found.best_cost_usd > 0.0 else ""
    return f"{alone} a prompt; the router is as good at ${equal:.6f}{share} (of {found.n} prompts)"


def _fit(fit: Fit) -> str:
    """Whether its error is more than chance makes."""
    chance = f"of a perfect predictor in 19 of 20 samples below {fit.perfect:.3f}"
    told = f"{fit.model}: right in {fit.quality:.1%} of {fit.n}, predicted {fit.predicted:.1%}"
    return f"{told}; ECE {fit.ece:.3f} ({chance})"


def measured_report(found: Measured) -> dict[str, Any]:
    """The same for programs; a figure that does not exist is null."""
    return {
        "rows": found.n,
        "dropped": found.dropped,
        "pair": _pair_report(found.pair) if found.pair else None,
        "frontier": _frontier_report(found.frontier) if found.frontier else None,
        "models": {
            fit.model: {
                "labels": fit.n,
                "quality": fit.quality,
                "predicted": fit.predicted,
                "ece": fit.ece,
                "ece_of_the_perfect": fit.perfect,
            }
            for fit in found.fits
        },
    }


def _pair_report(pair: Pair) -> dict[str, Any]:
    return {
        "weak": pair.weak,
        "strong": pair.strong,
        "rows": pair.n,
        "rules": {name: _curve_report(each) for name, each in pair.curves.items()},
        "gains": {name: [_number(end) for end in ends] for name, ends in pair.gains.items()},
    }


def _curve_report(each: Curve) -> dict[str, Any]:
    return {
        "apgr": _number(each.apgr),
        "cpt50": _number(each.cpt(0.5)),
        "cpt80": _number(each.cpt(0.8)),
        "pgr50": _number(each.pgr(0.5)),
        "shares": each.shares.tolist(),
        "qualities": each.accuracies.tolist(),
    }


def _frontier_report(found: Frontier) -> dict[str, Any]:
    return {
        "rows": found.n,
        "best": found.best,
        "best_cost_usd": found.best_cost_usd,
        "best_quality": found.best_quality,
        "cost_at_equal_quality_usd": _number(found.cost_at_equal_quality),
        "costs_usd": found.costs_usd.tolist(),
        "qualities": found.qualities.tolist(),
    }


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def shelf_table(found: Sequence[tuple[str, Routing | str]], uses: Sequence[Use]) -> Table:
    """One line for each router; of a broken one what is wrong."""
    table = plain_table("router", "created", "labels", "APGR", "ECE", "embedding", "state")
    for id_, routing in found:
        state = _state(id_, uses)
        if isinstance(routing, str):
            table.add_row(
                id_, "", "", "", "", "", f"broken: {routing}{f', {state}' if state else ''}"
            )
            continue
        table.add_row(
            id_,
            routing.created,
            ", ".join(f"{m.name} {m.n_labels}" for m in routing.models),
            _score(routing.scores, "apgr"),
            _score(routing.scores, "ece"),
            f"{routing.embedding.backend}/{routing.embedding.model}",
            state,
        )
    return table


def _score(scores: Mapping[str, float], name: str) -> str:
    return f"{scores[name]:.3f}" if name in scores else "?"


def _state(id_: str, uses: Sequence[Use]) -> str:
    if uses and uses[-1].id == id_:
        return f"in use since {uses[-1].since}"
    return "was in use" if any(use.id == id_ for use in uses) else ""


def shelf_report(
    found: Sequence[tuple[str, Routing | str]], uses: Sequence[Use], *, pinned: str
) -> dict[str, Any]:
    """The same for programs."""
    return {
        "in_use": uses[-1].id if uses else "",
        "pinned": pinned,
        "uses": [{"id": use.id, "since": use.since} for use in uses],
        "routers": [_router_report(id_, routing) for id_, routing in found],
    }


def _router_report(id_: str, routing: Routing | str) -> dict[str, Any]:
    if isinstance(routing, str):
        return {"id": id_, "error": routing}
    return {
        "id": id_,
        "created": routing.created,
        "data_sha256": routing.data_sha256,
        "embedding": f"{routing.embedding.backend}/{routing.embedding.model}",
        "models": {model.name: model.n_labels for model in routing.models},
        "scores": dict(routing.scores),
    }
