"""How a request ended without an error."""

from dataclasses import dataclass

from gremium.v1 import manifest_pb2, types_pb2


@dataclass(frozen=True, slots=True)
class Ending:
    """How a tier, and with the last one the request, ended without an error."""

    outcome: manifest_pb2.Outcome.ValueType
    answer: types_pb2.Answer | None = None
    """What the caller gets; None: nothing."""
    unjudged: bool = False
    degraded: bool = False
    """Whether something stood in for what was asked, beside the stages that the record knows of."""
    confidence: float | None = None
    """In [0, 1]; None: nothing is known of it."""
    judge_lost: bool = False
    """Whether it is as it is because no judge was there; another tier would end no better."""
    reason_text: str = ""
    """Why there is no answer, as words; empty with one."""
