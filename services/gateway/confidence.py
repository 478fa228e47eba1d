"""How sure an answer is, by what was measured of it. No I/O."""

from gremium.v1 import aggregator_pb2, manifest_pb2


def confidence(
    aggregated: aggregator_pb2.AggregateResponse, verdict: manifest_pb2.Verdict | None = None
) -> float | None:
    """The least of what speaks for an answer, in [0, 1]; None when nothing is known of it.

    P(correct) counts where a calibration tells it; else, with several ballots,
    how far they agree, which orders answers and is no probability. With a judge
    its score counts, too.
    """
    known = []
    tally = aggregated.tally
    calibrated = tally.p_correct.calibrated
    agreed = tally.p_correct.value if calibrated else agreement(tally)
    if agreed is not None:
        known.append(agreed)
    if verdict is not None and verdict.HasField("score"):
        known.append(verdict.score)
    return min(known, default=None)


def agreement(tally: manifest_pb2.Tally) -> float | None:
    """How far several jurors agree, in [0, 1]; None of a single one, or when nothing was counted.

    The leading class's share of the weight; for prose the representative's mean
    similarity to the others if that is more, since paraphrases may be classes
    of their own.
    """
    share = next((found.share for found in tally.classes if found.key == tally.leader), None)
    if share is None or len(tally.ballots) < 2:
        return None
    return max(share, tally.similarity) if tally.HasField("similarity") else share


def agrees_with(tally: manifest_pb2.Tally, juror: str) -> list[str]:
    """Who else is of a juror's class, in the order of the answers."""
    classes = (found.jurors for found in tally.classes if juror in found.jurors)
    return [other for jurors in classes for other in jurors if other != juror]
