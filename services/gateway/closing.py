"""The manifest of a request that has ended: all that was used, and whose votes it counted. No I/O."""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

from gremium.v1 import manifest_pb2
from services.core.answers import Usage
from services.runtime.telemetry import CallNote
from services.runtime.wire import duration_to_wire, usage_from_wire, usage_to_wire

MOST_TOKENS: Final = 2**62
"""More than is ever used; a provider may say so all the same."""


def close(
    manifest: manifest_pb2.Manifest, state: manifest_pb2.ManifestState.ValueType, *, took_s: float
) -> None:
    """Sum up in a manifest what those that took part used."""
    parts = manifest.participations
    manifest.state = state
    manifest.duration.CopyFrom(duration_to_wire(took_s))
    manifest.usage.CopyFrom(usage_to_wire(_sum(parts)))
    manifest.cost_usd = spent_usd(parts)
    manifest.model_calls = sum(part.model_calls for part in parts)
    manifest.self_ensemble = _votes_are_of_one_model(manifest)


def settle(part: manifest_pb2.Participation, noted: CallNote, began_s: float) -> None:
    """Say how long a call to a stage took, and which span is its."""
    part.span_id = noted.span_id
    part.duration.CopyFrom(duration_to_wire(time.monotonic() - began_s))


def spent_usd(parts: Iterable[manifest_pb2.Participation]) -> float:
    """What all of them may have cost, US dollars."""
    return sum(part.cost_usd for part in parts)


def _sum(parts: Iterable[manifest_pb2.Participation]) -> Usage:
    """All usage, each count at most what a message holds."""
    used = sum((usage_from_wire(part.usage) for part in parts), Usage())
    return Usage(
        min(used.input_tokens, MOST_TOKENS),
        min(used.cached_input_tokens, MOST_TOKENS),
        min(used.output_tokens, MOST_TOKENS),
        min(used.reasoning_tokens, MOST_TOKENS),
    )


def _votes_are_of_one_model(manifest: manifest_pb2.Manifest) -> bool:
    """Steps of specialists are no votes: there it counts within each step."""
    parts = manifest.participations
    if manifest.pattern != "specialists":
        return is_self_ensemble(parts)
    steps = {part.tier for part in parts}
    return any(is_self_ensemble(part for part in parts if part.tier == step) for step in steps)


def is_self_ensemble(parts: Iterable[manifest_pb2.Participation]) -> bool:
    """Whether all jurors that answered are one model, and it was asked more than once."""
    jurors = [part for part in parts if part.stage == manifest_pb2.STAGE_JURY and part.model]
    asked = Counter(
        part.model for part in jurors if part.status != manifest_pb2.PARTICIPATION_STATUS_SKIPPED
    )
    answered = {
        part.model for part in jurors if part.status == manifest_pb2.PARTICIPATION_STATUS_ANSWERED
    }
    return len(answered) == 1 and asked[answered.pop()] > 1
