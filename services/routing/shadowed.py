"""What shadows tell of cheaper tiers: their answers beside one of which somebody said how good it is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gremium.v1 import manifest_pb2, shadow_pb2
from services.routing.rows import OutcomeLine

Shadows = Mapping[str, shadow_pb2.ShadowRecord]
"""By request."""
NONE: Final[Shadows] = MappingProxyType({})
GOOD: Final = 0.5
"""An answer that is at least this good counts as right where another differs from it."""
JURY: Final = manifest_pb2.STAGE_JURY
ANSWERED: Final = manifest_pb2.PARTICIPATION_STATUS_ANSWERED


def quality_of_shadow(record: shadow_pb2.ShadowRecord, used: float | None) -> float | None:
    """How good the cheaper tier's answer is, in [0, 1]; None: the comparison does not tell.

    Parameters
    ----------
    used : float or None
        How good the answer is that was given; None: nobody said.

    Notes
    -----
    Whoever differs from a right ballot is wrong, and who is found worse than a
    good answer counts as not adequate, as a strong model's wins do in RouteLLM
    (Ong et al., ICLR 2025). Beside a bad answer only the same and the worse are
    known.
    """
    match record.verdict:
        case shadow_pb2.SHADOW_VERDICT_FAILED:
            return 0.0
        case shadow_pb2.SHADOW_VERDICT_EQUAL:
            return used
        case shadow_pb2.SHADOW_VERDICT_BETTER:
            return used if used is not None and used >= GOOD else None
        case shadow_pb2.SHADOW_VERDICT_WORSE:
            return None if used is None else 0.0
        case shadow_pb2.SHADOW_VERDICT_DIFFERENT:
            return 0.0 if used is not None and used >= GOOD else None
        case _:
            return None


def shadow_outcome(
    record: shadow_pb2.ShadowRecord, used: float | None
) -> tuple[str, OutcomeLine] | None:
    """The cheaper tier's model and how it did; None where that is not known of one model.

    Of a tier of several models it is not known whose answer was compared.
    """
    quality = quality_of_shadow(record, used)
    asked = [p for p in record.participations if p.stage == JURY and p.model_calls]
    if quality is None or len({part.model for part in asked}) != 1:
        return None
    ended = [part for part in asked if part.status == ANSWERED] or asked
    part = ended[0]
    return part.model, OutcomeLine(
        quality=quality,
        cost_usd=min(1e7, part.cost_usd),
        output_tokens=min(1e7, float(part.usage.output_tokens)),
    )
