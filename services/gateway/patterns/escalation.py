"""Which tier a cascade asks next, if any: by confidence, or by what it is worth. No I/O."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gremium.v1 import manifest_pb2, router_pb2, types_pb2
from services.config.ensembles import Escalate
from services.core.lease import Lease
from services.gateway import messages
from services.gateway.case import Case
from services.gateway.learned import match_of
from services.gateway.patterns.improvement import CORRELATION, Offer, Quality, best_offer
from services.runtime.wire import duration_from_wire

WIDTH_90: Final = 3.29
"""Standard deviations between the ends of a 90 % interval."""
UNKNOWN_SPREAD: Final = 0.25
"""Of a tier of which nothing was learned: anywhere in [0, 1] has .29, a good guess less."""


@dataclass(frozen=True, slots=True)
class Next:
    """Tiers that are left to ask, the next one first; none: the answer in hand stands."""

    tiers: Sequence[router_pb2.Tier]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Hand:
    """The answer to beat."""

    tier: str
    """Empty: there is none."""
    quality: Quality


NOTHING: Final = Hand("", Quality(0.0, 0.0))


def worth_asking(
    case: Case,
    terms: Escalate,
    manifest: manifest_pb2.Manifest,
    tiers: Sequence[router_pb2.Tier],
    lease: Lease,
    *,
    answered: Collection[str],
) -> Next | None:
    """The next tier by what it is worth; None where P(correct) of the answer in hand is a guess.

    Nothing in hand is wrong for sure. Tiers in between that are worth less are
    left out. `tiers` begins with the one that was just asked; in hand is what
    those that `answered` gave.
    """
    if len(manifest.escalations) >= terms.depth:
        return Next(())
    hand = _in_hand(manifest, answered, last=tiers[0].name)
    if hand is None:
        return None
    left = list(_affordable(case, tiers[1:], lease))
    offers = [_offer(case, tier, _together(manifest, hand.tier, tier.name)) for tier in left]
    choice = best_offer(hand.quality, offers, value_usd=terms.value_usd)
    if choice is None:
        return Next(())
    chosen = left[choice.index]
    behind = tiers[[tier.name for tier in tiers].index(chosen.name) :]
    gained = f"{chosen.name} is expected to add {choice.improvement:.1%}"
    return Next(
        behind,
        f"right with {hand.quality.mean:.0%}; {gained}, ${choice.gain_usd:.6f} beyond its price",
    )


def _in_hand(
    manifest: manifest_pb2.Manifest, answered: Collection[str], *, last: str
) -> Hand | None:
    """The best answer so far, by P(ok) where a judge's fit tells it, else by P(correct).

    None where nothing is learned of the last answer, or of any.
    """
    if not answered:
        return NOTHING
    asked = {verdict.tier: verdict.p_ok for verdict in manifest.verdicts}
    known = {
        tally.tier: _surest(asked.get(tally.tier), tally.p_correct)
        for tally in manifest.tallies
        if tally.tier in answered
    }
    calibrated = {name: each for name, each in known.items() if each.calibrated}
    if not calibrated or (last in answered and last not in calibrated):
        return None
    best = max(calibrated, key=lambda name: calibrated[name].value)
    return Hand(best, _quality(calibrated[best]))


def _surest(
    p_ok: types_pb2.Probability | None, p_correct: types_pb2.Probability
) -> types_pb2.Probability:
    return p_ok if p_ok is not None and p_ok.calibrated else p_correct


def _quality(told: types_pb2.Probability) -> Quality:
    return Quality(told.value, max(0.0, told.high - told.low) / WIDTH_90)


def _affordable(
    case: Case, tiers: Iterable[router_pb2.Tier], lease: Lease
) -> Iterable[router_pb2.Tier]:
    """Tiers that budget and deadline have room for, as far as is known."""
    for tier in tiers:
        is_dear = lease.cost_usd is not None and tier.expected_cost_usd > lease.cost_usd
        if not is_dear and duration_from_wire(tier.expected_latency) <= case.deadline.left_s:
            yield tier


def _offer(case: Case, tier: router_pb2.Tier, correlation: float) -> Offer:
    return Offer(_expected(case, tier), tier.expected_cost_usd, correlation)


def _together(manifest: manifest_pb2.Manifest, one: str, other: str) -> float:
    """How far the mistakes of two tiers come together, as the router learned it."""
    told = {tier.name: tier.correlations for tier in manifest.route.tiers}
    return told[one].get(other, CORRELATION) if one in told else CORRELATION


def _expected(case: Case, tier: router_pb2.Tier) -> Quality:
    """As the router learned it of prompts like this, else as it was learned of the tier's pool.

    Else as the router guesses, or for want of one as the models are configured.
    """
    if tier.adequacy.calibrated:
        return _quality(tier.adequacy)
    here = messages.configured(case, tier)
    fit = match_of(case, here).fit
    if fit is not None and "spread" in fit.metrics:
        return Quality(fit.metrics["accuracy"], fit.metrics["spread"])
    if tier.HasField("adequacy"):
        return Quality(tier.adequacy.value, UNKNOWN_SPREAD)
    return Quality(max(case.models[j.model].adequacy for j in here.jurors), UNKNOWN_SPREAD)
