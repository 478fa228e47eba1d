"""When a tier's jury may stop, as it is told. No I/O."""

from collections.abc import Iterable
from typing import Final

from gremium.v1 import aggregator_pb2, jury_pb2
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
"""Methods that count ballots as they are; scores, embeddings and fields come later than a stop."""


def stop_terms(
    stop: Stop,
    how: Aggregate,
    weights: Iterable[aggregator_pb2.JurorWeight],
    fitted: aggregator_pb2.FittedVote | None = None,
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
        letters=how.method == "plurality",
        weights=weights,
        fitted=fitted,
    )
