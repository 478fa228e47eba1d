"""What feedback on a request means, by what is known of the request. No I/O."""

from collections.abc import Iterable
from typing import Final

from gremium.v1 import manifest_pb2
from services.calibration.recorded import given_class, key_of
from services.core.errors import InvalidRequestError

CORRECT: Final = manifest_pb2.FEEDBACK_KIND_CORRECT
INCORRECT: Final = manifest_pb2.FEEDBACK_KIND_INCORRECT
PREFERRED: Final = manifest_pb2.FEEDBACK_KIND_PREFERRED
ANSWERS: Final = frozenset({manifest_pb2.STAGE_JURY, manifest_pb2.STAGE_SYNTHESIS})
FIELD: Final = "feedback.preferred_juror"


def understood(
    said: manifest_pb2.Feedback, manifest: manifest_pb2.Manifest
) -> manifest_pb2.Feedback:
    """Feedback as it is recorded: with the score that its kind stands for, and the tier it means.

    Raises
    ------
    InvalidRequestError
        If it prefers nobody, somebody who gave no answer, or contradicts itself.
    """
    told = manifest_pb2.Feedback()
    told.CopyFrom(said)
    if said.preferred_juror:
        _may_prefer(said.kind)
        told.preferred_tier = _tier_of(said, manifest)
    elif said.kind == PREFERRED or said.preferred_tier:
        raise _invalid("name the juror whose answer is better")
    match said.kind:
        case manifest_pb2.FEEDBACK_KIND_CORRECT:
            told.score = 1.0
        case manifest_pb2.FEEDBACK_KIND_INCORRECT:
            told.score = 0.0
        case manifest_pb2.FEEDBACK_KIND_PREFERRED:
            told.score = float(_is_given(told, manifest))
    if said.kind == INCORRECT and said.preferred_juror and _is_given(told, manifest):
        raise _invalid(f"{said.preferred_juror} gave, or said the same as, what is incorrect")
    return told


def kind_name(said: manifest_pb2.Feedback) -> str:
    """What was said, as a metric has it: `correct`, `incorrect`, `preferred` or `score`."""
    name = manifest_pb2.FeedbackKind.Name(said.kind).removeprefix("FEEDBACK_KIND_").lower()
    return "score" if name == "unspecified" else name


def _may_prefer(kind: manifest_pb2.FeedbackKind.ValueType) -> None:
    if kind not in {PREFERRED, INCORRECT}:
        raise _invalid("a juror is preferred only with the kind preferred or incorrect")


def _tier_of(said: manifest_pb2.Feedback, manifest: manifest_pb2.Manifest) -> str:
    """Tier, or step, in which the preferred juror answered."""
    tiers = sorted({part.tier for part in _answers(said.preferred_juror, manifest)})
    if said.preferred_tier and said.preferred_tier not in tiers:
        tiers = []
    if not tiers:
        where = f" in {said.preferred_tier}" if said.preferred_tier else ""
        raise _invalid(f"{said.preferred_juror} gave no answer{where}")
    if len(tiers) > 1 and not said.preferred_tier:
        raise _invalid(f"{said.preferred_juror} answered in {', '.join(tiers)}; say in which")
    return said.preferred_tier or tiers[0]


def _answers(juror: str, manifest: manifest_pb2.Manifest) -> Iterable[manifest_pb2.Participation]:
    return (
        part
        for part in manifest.participations
        if part.name == juror
        and part.stage in ANSWERS
        and part.status == manifest_pb2.PARTICIPATION_STATUS_ANSWERED
    )


def _is_given(said: manifest_pb2.Feedback, manifest: manifest_pb2.Manifest) -> bool:
    """Whether the preferred answer is the one that was given, or the same ballot."""
    tier = manifest.chosen_step or manifest.chosen_tier
    if (said.preferred_juror, said.preferred_tier) == (manifest.chosen_juror, tier):
        return True
    key = key_of(manifest, said.preferred_tier, said.preferred_juror)
    return bool(key) and key == given_class(manifest)


def _invalid(text: str) -> InvalidRequestError:
    return InvalidRequestError(text, violations=((FIELD, text),))
