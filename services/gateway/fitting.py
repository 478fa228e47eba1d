"""Replies that fit a message. No I/O."""

from typing import Final

from gremium.v1 import ensemble_pb2

MOST_BYTES: Final = 4 * 1024 * 1024
"""What gRPC clients take by default."""


def fit(
    message: ensemble_pb2.AskResponse | ensemble_pb2.GetManifestResponse,
    *,
    most_bytes: int = MOST_BYTES,
) -> None:
    """Leave out the last answers of a message's manifest until the message fits.

    The ledger keeps what it keeps of them all, and the answer that was chosen
    stands in the reply itself. An attestation that takes more than half of the
    room is left out first.
    """
    if message.attestation.ByteSize() > most_bytes // 2:
        message.ClearField("attestation")
    manifest = message.manifest
    while manifest.answers and message.ByteSize() > most_bytes:
        manifest.answers.pop()
        manifest.answers_omitted += 1
