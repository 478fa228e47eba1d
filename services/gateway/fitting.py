"""Manifests that fit a message. No I/O."""

from typing import Final

from google.protobuf.message import Message

from gremium.v1 import manifest_pb2

MOST_BYTES: Final = 4 * 1024 * 1024
"""What gRPC clients take by default."""


def fit(message: Message, manifest: manifest_pb2.Manifest, *, most_bytes: int = MOST_BYTES) -> None:
    """Leave out the last answers of a message's manifest until the message fits.

    The ledger keeps them all. The answer that was chosen stands in the reply itself.
    """
    while manifest.answers and message.ByteSize() > most_bytes:
        manifest.answers.pop()
        manifest.answers_omitted += 1
