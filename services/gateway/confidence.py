"""How sure an answer is, by what was measured of it. No I/O."""

from gremium.v1 import aggregator_pb2, manifest_pb2


def confidence(
    aggregated: aggregator_pb2.AggregateResponse, verdict: manifest_pb2.Verdict | None = None
) -> float | None:
    """The least of what speaks for an answer, in [0, 1]; None when nothing is known of it.

    With several ballots the share of the weight that agrees with it counts,
    with a judge its score. Nothing is fitted: it orders answers, and is no
    probability.
    """
    known = []
    tally = aggregated.tally
    if len(tally.ballots) > 1 and (share := leading_share(tally)) is not None:
        known.append(share)
    if verdict is not None and verdict.HasField("score"):
        known.append(verdict.score)
    return min(known, default=None)


def leading_share(tally: manifest_pb2.Tally) -> float | None:
    """Share of the weight that the leading class has; None when nothing was counted."""
    return next((found.share for found in tally.classes if found.key == tally.leader), None)


def agrees_with(tally: manifest_pb2.Tally, juror: str) -> list[str]:
    """Who else is of a juror's class, in the order of the answers."""
    classes = (found.jurors for found in tally.classes if juror in found.jurors)
    return [other for jurors in classes for other in jurors if other != juror]
