"""What the span of a verdict tells: the verdict and each check, as events. No texts."""

from typing import Final

from opentelemetry.util.types import AttributeValue

from gremium.v1 import manifest_pb2
from services.runtime import names
from services.runtime.spans import Part

VERDICT: Final = "verdict"
"""What the conventions call the metric; the checks have their own names."""


def tell(span: Part, verdict: manifest_pb2.Verdict) -> None:
    """The reasons stay in the manifest: they may quote the answer."""
    if span.span is None:
        return
    label = manifest_pb2.VerdictKind.Name(verdict.kind).removeprefix("VERDICT_KIND_").lower()
    span.tell(
        {names.VERDICT: label, names.JUDGE: verdict.judge, names.WHY: verdict.unjudged_reason}
    )
    for check in verdict.checks:
        outcome = manifest_pb2.CheckOutcome.Name(check.outcome).removeprefix("CHECK_OUTCOME_")
        score = check.score if check.HasField("score") else None
        span.event(names.EVALUATION, _evaluation(check.name, outcome.lower(), score))
    score = verdict.score if verdict.HasField("score") else None
    span.event(names.EVALUATION, _evaluation(VERDICT, label, score))


def _evaluation(name: str, label: str, score: float | None) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {names.EVALUATION_NAME: name, names.EVALUATION_LABEL: label}
    if score is not None:
        found[names.EVALUATION_SCORE] = score
    return found
