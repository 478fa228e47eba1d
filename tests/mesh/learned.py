"""What was learned of a jury of three and of its judge."""

from gremium.v1 import types_pb2
from services.calibration.artefact import ConfidenceMap, Gate, JudgeFit, PoolFit, Threshold
from tests.upstream import Reply

NUMBER = types_pb2.OutputFormat(number=types_pb2.NumberFormat())
JURY = {"jurors": [{"model": "a"}, {"model": "b"}, {"model": "c"}], "quorum": 3}
SCRIPT = {"a": Reply(text="5"), "b": Reply(text="5"), "c": Reply(text="4")}
FIT = PoolFit(
    rule="logit",
    jurors=("a", "b", "c"),
    weights=(0.5, 0.5, 3.0),
    alone=(0.0, 0.0, 0.0),
    abstaining=(0.0, 0.0, 0.0),
    priors=(0.5, 0.5, 0.9),
    none_score=0.0,
    abstain=0.0,
    gate=Gate(closed=False, best="c", quantile=0.01, n=80),
    confidence=ConfidenceMap(),
    n_labels=80,
    metrics={"accuracy": 0.9},
)
JUDGED = {**JURY, "judge": {"models": ["judge"], "promise": {"alpha": 0.2}}}
VERDICTS = JudgeFit(
    intercept=-4.0,
    coefficients={"support": 8.0},
    reliabilities={},
    raw_reliabilities={},
    thresholds=(Threshold(0.2, 0.1, 0.8, 60, 0.18, 0.6), Threshold(0.1, 0.1, None, 0, 1.0, 0.0)),
    n_labels=120,
    metrics={},
)
