"""Which tier a cascade asks next, if any: by confidence, or by what it is worth. No I/O."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gremium.v1 import manifest_pb2, router_pb2
from services.config.ensembles import Escalate
from services.core.lease import Lease
from services.gateway import messages
from services.gateway.case import Case
from services.gateway.learned import match_of
from services.gateway.patterns.hand import Hand, in_hand, quality_of
from services.gateway.patterns.improvement import Offer, Quality, best_offer, moved
from services.runtime.wire import duration_from_wire

UNKNOWN_SPREAD: Final = 0.25
"""Of a tier of which nothing was learned: anywhere in [0, 1] has .29, a good guess less."""


@dataclass(frozen=True, slots=True)
class Next:
    """Tiers that are left to ask, the next one first; none: the answer in hand stands."""

    tiers: Sequence[router_pb2.Tier]
    why: str = ""


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
    hand = in_hand(case, manifest, answered, last=tiers[0].name)
    if hand is None:
        return None
    left = list(_affordable(case, tiers[1:], lease))
    offers = [_offer(case, tier, hand) for tier in left]
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


def _affordable(
    case: Case, tiers: Iterable[router_pb2.Tier], lease: Lease
) -> Iterable[router_pb2.Tier]:
    """Tiers that budget and deadline have room for, as far as is known."""
    for tier in tiers:
        is_dear = lease.cost_usd is not None and tier.expected_cost_usd > lease.cost_usd
        if not is_dear and duration_from_wire(tier.expected_latency) <= case.deadline.left_s:
            yield tier


def _offer(case: Case, tier: router_pb2.Tier, hand: Hand) -> Offer:
    """A tier, after what its chances look like beside the answer in hand."""
    expected, together = _expected(case, tier), hand.together.get(tier.name)
    if together is None:
        return Offer(expected, tier.expected_cost_usd)
    if hand.ahead is not None and tier.adequacy.calibrated:
        now = hand.quality.mean
        expected = moved(expected, ahead=hand.ahead, now=now, correlation=together)
    return Offer(expected, tier.expected_cost_usd, together)


def _expected(case: Case, tier: router_pb2.Tier) -> Quality:
    """As the router learned it of prompts like this, else as it was learned of the tier's pool.

    Else as the router guesses, or for want of one as the models are configured.
    """
    if tier.adequacy.calibrated:
        return quality_of(tier.adequacy)
    here = messages.configured(case, tier)
    fit = match_of(case, here).fit
    if fit is not None and "spread" in fit.metrics:
        return Quality(fit.metrics["accuracy"], fit.metrics["spread"])
    if tier.HasField("adequacy"):
        return Quality(tier.adequacy.value, UNKNOWN_SPREAD)
    return Quality(max(case.models[j.model].adequacy for j in here.jurors), UNKNOWN_SPREAD)
