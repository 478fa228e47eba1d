"""What the span of a tally tells."""

from gremium.v1 import manifest_pb2
from services.runtime import names
from services.runtime.spans import Part


def tell(span: Part, tally: manifest_pb2.Tally) -> None:
    """How the jurors voted, without what they said."""
    if span.span is None:
        return
    shares = [found.share for found in tally.classes if found.key == tally.leader]
    span.tell(
        {
            names.METHOD: tally.method,
            names.CONSENSUS: tally.consensus,
            names.BALLOTS: sum(bool(ballot.key) for ballot in tally.ballots),
            names.LEADER_SHARE: max(shares, default=0.0),
            names.DIVERGENCE: tally.divergence,
        }
    )
