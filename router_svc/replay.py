"""What a trained router would have chosen where tiers were drawn by chance, and what that is worth."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gremium.v1 import manifest_pb2, router_pb2
from router_svc.choice import best, utilities
from router_svc.forecast import Forecast
from router_svc.learned import Known
from router_svc.options import Belief, shared_fate_of, together
from router_svc.terms import Terms
from services.core.errors import InternalError
from services.routing.features import Seen
from services.routing.off_policy import Logged, Value, value_of
from services.routing.recorded import NO_WORDS, quality_of_tier, vector_of
from services.runtime.wire import duration_from_wire

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One request whose first tier was drawn."""

    decision: router_pb2.RouteDecision
    quality: float
    """Of that tier's answer, in [0, 1]."""
    cost_usd: float
    """What that tier took."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a router would have been worth a request."""

    quality: Value
    cost_usd: Value
    agrees: float
    """Share of requests for which it chooses the tier that was drawn."""


def trials_of(
    manifests: Iterable[manifest_pb2.Manifest],
    *,
    embedding: str,
    learned_from: Collection[str] = (),
) -> list[Trial]:
    """Requests whose first tier was drawn and judged, and that were embedded by this one.

    Questions that a router has learned from, by their digests, are left out.
    """
    found = []
    for manifest in manifests:
        route, kept = manifest.route, manifest.route.features
        if not (route.context and kept.vector and kept.embedding == embedding):
            continue
        if kept.question_digest in learned_from:
            continue
        quality = quality_of_tier(manifest, route.tiers[0].name)
        if quality is not None:
            found.append(Trial(route, quality, _cost_usd(manifest, route.tiers[0].name)))
    return found


def _cost_usd(manifest: manifest_pb2.Manifest, tier: str) -> float:
    parts = manifest.participations
    return sum(p.cost_usd for p in parts if p.stage == manifest_pb2.STAGE_JURY and p.tier == tier)


def worth_of(known: Known, trials: Sequence[Trial], terms: Terms) -> Worth:
    """Estimate what a router would have been worth by the policy of an ensemble.

    It chooses among the tiers that were there to draw from, by its own
    adequacies, and by costs and times as they were expected then.

    Raises
    ------
    NoSupportError
        If the log does not show what it would do.
    """
    tiers = sorted({each.name for trial in trials for each in trial.decision.candidates})
    taken = np.array([tiers.index(trial.decision.tiers[0].name) for trial in trials])
    chosen = np.array([tiers.index(choice(known, trial.decision, terms)) for trial in trials])
    policy = np.zeros((len(trials), len(tiers)))
    policy[np.arange(len(trials)), chosen] = 1.0
    propensity = np.array([trial.decision.propensity for trial in trials])
    quality = np.array([trial.quality for trial in trials])
    cost = np.array([trial.cost_usd for trial in trials])
    told, expected = _told(trials, tiers)
    return Worth(
        value_of(policy, Logged(taken, propensity, quality, told)),
        value_of(policy, Logged(taken, propensity, cost, expected)),
        float((chosen == taken).mean()),
    )


def choice(known: Known, decision: router_pb2.RouteDecision, terms: Terms) -> str:
    """The tier that a router would have chosen, of those that were weighed."""
    weighed = [each for each in decision.candidates if each.HasField("utility")]
    if not weighed:
        raise InternalError("a tier was drawn, but none was weighed")
    features = decision.features
    seen = Seen(None, np.array(features.values), NO_WORDS)
    forecast = known.forecast(seen, vector_of(features.vector))
    adequacy = np.array([_adequacy(each, forecast) for each in weighed])
    cost = np.array([each.expected_cost_usd for each in weighed])
    latency = _latencies(weighed)
    worth = utilities(
        adequacy,
        cost,
        latency,
        price_of_money=decision.price_of_money,
        price_of_second=terms.second_usd * decision.price_of_money,
    )
    return weighed[best(worth, cost, latency)].name


def _adequacy(candidate: router_pb2.CandidateScore, forecast: Forecast) -> float:
    """As this router predicts it; of a model that it knows nothing of as it was predicted then."""
    beliefs = []
    for each in candidate.models:
        outlook = forecast.models.get(each.model)
        is_known = outlook is not None and outlook.n_labels > 0
        beliefs.append(Belief(outlook.adequacy if outlook and is_known else each.adequacy.value))
    models = [each.model for each in candidate.models]
    return together(beliefs, shared_fate_of(models, forecast)).value


def _latencies(weighed: Sequence[router_pb2.CandidateScore]) -> Floats:
    """Seconds to each answer; all 0 without a latency of each, so that they decide nothing."""
    if not all(each.HasField("expected_latency") for each in weighed):
        return np.zeros(len(weighed))
    return np.array([duration_from_wire(each.expected_latency) for each in weighed])


def _told(trials: Sequence[Trial], tiers: Sequence[str]) -> tuple[Floats, Floats]:
    """Adequacy and cost that were expected of each tier then, shape (n, m); 0: it was not there."""
    adequacy, cost = np.zeros((2, len(trials), len(tiers)))
    for nth, trial in enumerate(trials):
        for each in trial.decision.candidates:
            at = tiers.index(each.name)
            adequacy[nth, at], cost[nth, at] = each.adequacy.value, each.expected_cost_usd
    return adequacy, cost
