"""A route in words and as a table. No I/O."""

from collections.abc import Iterator

from rich.table import Table

from gremium.v1.router_pb2 import CandidateScore, FilterReason, RouteDecision
from gremium.v1.types_pb2 import Probability
from services.cli import telling
from services.cli.show import plain_table
from services.runtime.wire import duration_from_wire

MOST_EFFECTS = 4


def story(decision: RouteDecision) -> Iterator[str]:
    """What was decided and why, line by line."""
    order = " → ".join(tier.name for tier in decision.tiers)
    yield f"{order}: {decision.reason_text}"
    yield f"policy   {_policy(decision)}"
    if decision.runner_up:
        yield f"second   {decision.runner_up}, by {decision.margin:+.2f} in adequacy"
    yield f"learned  {_learned(decision)}"
    if effects := _effects(decision):
        yield f"moved by {effects}"
    for told in (line for each in decision.candidates for line in _objections(each)):
        yield f"left out {told}"
    if decision.contributions:
        told = ", ".join(f"{c.feature} {c.value:.2f}" for c in decision.contributions)
        yield f"looks    complexity {decision.complexity:.2f}: {told}"


def candidate_table(decision: RouteDecision) -> Table:
    """Every candidate with its numbers, chosen or not; `?` marks a guess."""
    table = plain_table(
        "candidate", "adequacy", "labels", "USD", "USD p90", "s p50", "s p95", "in time", "utility"
    )
    for each in decision.candidates:
        table.add_row(*_row(each))
    return table


def _policy(decision: RouteDecision) -> str:
    told = decision.policy or "everybody at once"
    if decision.threshold:
        told += f", threshold {decision.threshold:.2f}"
    if decision.price_of_money:
        told += f", one USD weighs {decision.price_of_money:g}"
    return told


def _learned(decision: RouteDecision) -> str:
    if not decision.artefact_id:
        return "nothing: adequacies are guesses by the configuration and the looks of the prompt"
    told = f"artefact {decision.artefact_id}"
    if decision.forecast_note:
        return f"{told}; {decision.forecast_note}"
    if decision.HasField("neighbor_similarity"):
        told += f"; nearest prompts {', '.join(n[:12] for n in decision.neighbors)}"
        told += f" (similarity {decision.neighbor_similarity:.2f})"
    if decision.learned_domain:
        told += f"; like those of {decision.learned_domain}"
    return told + ("; unlike all that was learned from" if decision.novel else "")


def _effects(decision: RouteDecision) -> str:
    """What moved the prediction of the first tier, in log-odds."""
    first = next(c for c in decision.candidates if c.name in _first_names(decision))
    effects = [effect for model in first.models[:1] for effect in model.effects[:MOST_EFFECTS]]
    return ", ".join(f"{effect.feature} {effect.logits:+.2f}" for effect in effects)


def _first_names(decision: RouteDecision) -> set[str]:
    """Names of the first tier, or of a jury's jurors."""
    return {decision.tiers[0].name, *decision.tiers[0].jurors}


def _row(each: CandidateScore) -> tuple[str, ...]:
    return (
        each.name,
        _probability(each.adequacy),
        str(each.adequacy.support or ""),
        telling.usd(each.expected_cost_usd),
        telling.usd(each.cost_p90_usd) if each.HasField("cost_p90_usd") else "",
        _seconds(each, "expected_latency"),
        _seconds(each, "latency_p95"),
        f"{each.p_on_time:.0%}" if each.HasField("p_on_time") else "",
        f"{each.utility:.3f}" if each.HasField("utility") else "",
    )


def _probability(told: Probability) -> str:
    mark = "" if told.calibrated else " ?"
    return f"{told.value:.2f} ({told.low:.2f}–{told.high:.2f}){mark}"  # noqa: RUF001


def _seconds(each: CandidateScore, field: str) -> str:
    if not each.HasField(field):  # type: ignore[arg-type]
        return ""
    return f"{duration_from_wire(getattr(each, field)):.2f}"


def _objections(each: CandidateScore) -> Iterator[str]:
    """Why its jurors are left out; of a tier that still has enough of them it says so."""
    for objection in each.objections:
        reason = FilterReason.Name(objection.reason).removeprefix("FILTER_REASON_")
        asked = "; the tier is asked without it" if each.eligible else ""
        yield f"{each.name}/{objection.juror} {reason}: {objection.text}{asked}"
