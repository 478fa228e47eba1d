"""The answer that a cascade has in hand, and how likely it is right. No I/O."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from gremium.v1 import manifest_pb2, router_pb2, types_pb2
from services.gateway import messages
from services.gateway.case import Case
from services.gateway.learned import match_of
from services.gateway.patterns.improvement import Quality, told_together

WIDTH_90: Final = 3.29
"""Standard deviations between the ends of a 90 % interval."""


@dataclass(frozen=True, slots=True)
class Hand:
    """The answer to beat."""

    tier: str
    """Empty: there is none."""
    quality: Quality
    ahead: float | None = None
    """P(right) as the router predicted it of this prompt; None: nothing says how much of what is
    known now it knew then."""
    together: Mapping[str, float] = field(default_factory=dict)
    """How far its mistakes and those of other tiers come together, where that was learned."""


NOTHING: Final = Hand("", Quality(0.0, 0.0))


def in_hand(
    case: Case, manifest: manifest_pb2.Manifest, answered: Collection[str], *, last: str
) -> Hand | None:
    """The best answer so far, by P(ok) where a judge's fit tells it, else by P(correct).

    Where a trained router looked at the prompt, what it expected counts, too. None
    where nothing is learned of the last answer, or of any.
    """
    if not answered:
        return NOTHING
    known = {tally.tier: tally for tally in manifest.tallies if tally.tier in answered}
    hands = {name: _hand(case, manifest, tally) for name, tally in known.items()}
    calibrated = {name: hand for name, hand in hands.items() if hand is not None}
    if not calibrated or (last in answered and last not in calibrated):
        return None
    return max(calibrated.values(), key=lambda hand: hand.quality.mean)


def quality_of(told: types_pb2.Probability) -> Quality:
    """A probability and its 90 % interval, as a mean and a spread."""
    return Quality(told.value, max(0.0, told.high - told.low) / WIDTH_90)


def _hand(case: Case, manifest: manifest_pb2.Manifest, tally: manifest_pb2.Tally) -> Hand | None:
    """A tier's answer; None where nothing is learned of it."""
    asked = {verdict.tier: verdict.p_ok for verdict in manifest.verdicts}
    p_ok = asked.get(tally.tier)
    audited = p_ok is not None and p_ok.calibrated
    told = p_ok if p_ok is not None and p_ok.calibrated else tally.p_correct
    if not told.calibrated:
        return None
    quality, routed = quality_of(told), _routed(manifest, tally.tier)
    together = routed.correlations if routed else {}
    base = _base_rate(case, tally.tier, audited=audited)
    if routed is None or not routed.adequacy.calibrated or base is None:
        return Hand(tally.tier, quality, together=together)
    ahead = routed.adequacy.value
    mean = told_together(ahead, quality.mean, base=base)
    return Hand(tally.tier, Quality(mean, quality.spread), ahead, together)


def _routed(manifest: manifest_pb2.Manifest, tier: str) -> router_pb2.Tier | None:
    """What the router said of a tier, before it was asked."""
    return next((each for each in manifest.route.tiers if each.name == tier), None)


def _base_rate(case: Case, tier: str, *, audited: bool) -> float | None:
    """Share of right answers among those that a calibration learned from; None: not known."""
    if audited:
        judged = case.calibration.judges.get(case.name) if case.calibration else None
        return judged.metrics.get("base_rate") if judged else None
    fit = match_of(case, messages.configured(case, router_pb2.Tier(name=tier))).fit
    return fit.metrics.get("accuracy") if fit else None
