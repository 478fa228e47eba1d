"""When a tier's jury may stop, as it is told, and why it did, as it tells. No I/O."""

from collections.abc import Iterable
from typing import Final

from gremium.v1 import aggregator_pb2, jury_pb2, manifest_pb2
from services.config.ensembles import Aggregate
from services.config.stop import Stop

RULES: Final = {
    "uncatchable": jury_pb2.STOP_RULE_UNCATCHABLE,
    "beta": jury_pb2.STOP_RULE_BETA,
    "agree": jury_pb2.STOP_RULE_AGREE,
    "posterior": jury_pb2.STOP_RULE_POSTERIOR,
}
"""Those that go by ballots."""
BY_BALLOTS: Final = frozenset({"auto", "plurality"})
"""Methods that count ballots as they are: a fitted vote stands in for them, and a jury may stop by
them; scores, embeddings and fields come later."""


def stop_terms(
    stop: Stop,
    how: Aggregate,
    weights: Iterable[aggregator_pb2.JurorWeight],
    fitted: aggregator_pb2.FittedVote | None = None,
    by_priors: aggregator_pb2.PriorVote | None = None,
) -> jury_pb2.StopTerms | None:
    """The configured rule, with what the aggregator will count by; None: quorum and grace alone."""
    if stop.rule not in RULES or how.method not in BY_BALLOTS:
        return None
    return jury_pb2.StopTerms(
        rule=RULES[stop.rule],
        gamma=stop.gamma,
        agree=stop.k,
        tau=stop.tau,
        min_share=how.min_share,
        min_confidence=how.min_confidence or 0.0,
        letters=how.method == "plurality",
        weights=weights,
        fitted=fitted,
        by_priors=by_priors,
        abstain_weight=how.abstain_weight,
    )


def jury_stop(response: jury_pb2.DeliberateResponse, *, tier: str) -> manifest_pb2.JuryStop:
    """Why a jury stopped, and what that saved, for the manifest."""
    told = response.stopping
    return manifest_pb2.JuryStop(
        tier=tier,
        reason=jury_pb2.StopReason.Name(response.stop_reason).removeprefix("STOP_REASON_"),
        saved_calls=told.saved_calls,
        saved_usd=told.saved_usd,
        saved_time=told.saved_time if told.HasField("saved_time") else None,
    )
