"""How a request ended, in the forms that are kept of it. No I/O."""

from dataclasses import dataclass
from typing import Final

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.manifest_pb2 import (
    PARTICIPATION_STATUS_FAILED,
    PARTICIPATION_STATUS_UNSPECIFIED,
    Manifest,
)
from gremium.v1.types_pb2 import Prompt
from services.ledger import entries
from services.ledger.entries import Entry
from services.ledger.terms import Terms

TOKENS: Final = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")
MOST_TOKENS: Final = 2**62
"""More than is ever used; a provider may say so all the same."""
UNDERWAY: Final = "the gateway stopped while this was asked; it may have been paid"


@dataclass(frozen=True, slots=True)
class End:
    """The end of one request."""

    entry: Entry
    record: bytes
    """Its manifest, as the chain keeps it."""
    reply: bytes | None
    """What is told again, until it expires: of a request that failed a reply with nothing but its
    manifest. None: nothing is."""
    kept_ns: int
    """How long it is told again, nanoseconds."""


def told(reply: bytes, prompt: Prompt | None, *, terms: Terms) -> End:
    """The end of a request that replied as serialised; one that failed, with its manifest alone.

    Takes as long as the words do that are redacted.
    """
    manifest = AskResponse.FromString(reply).manifest
    entry = entries.ended(manifest)
    terms.texts.settle(manifest, prompt)
    kept = reply if terms.replay_for_s > 0.0 else None
    return End(entry, manifest.SerializeToString(), kept, round(terms.replay_for_s * 1e9))


def interrupted(intent: bytes) -> End:
    """The end of a request whose process is dead, by what it had told of itself.

    Who was being asked then may have been paid.
    """
    left = Manifest.FromString(intent)
    for part in left.participations:
        if part.status == PARTICIPATION_STATUS_UNSPECIFIED:
            part.status = PARTICIPATION_STATUS_FAILED
            part.reason, part.reason_text = entries.INTERRUPTED.reason, UNDERWAY
    _sum_up(left)
    return End(entries.interrupted(left), left.SerializeToString(), None, 0)


def _sum_up(left: Manifest) -> None:
    """Nobody has, of a request that did not end."""
    parts = left.participations
    left.cost_usd = sum(part.cost_usd for part in parts)
    left.model_calls = sum(part.model_calls for part in parts)
    for count in TOKENS:
        total = sum(getattr(part.usage, count) for part in parts)
        setattr(left.usage, count, min(total, MOST_TOKENS))
