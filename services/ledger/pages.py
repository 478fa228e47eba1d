"""Page tokens: where a list goes on, and for which filters."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from gremium.v1 import ensemble_pb2
from services.core.errors import InvalidRequestError

DEFAULT_SIZE: Final = 50
LARGEST_SIZE: Final = 500
_DIGEST_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page; the next page begins below it."""

    start_ns: int
    request_id: str


def page_size(wanted: int) -> int:
    """Rows of a page, in [1, 500]."""
    return min(wanted, LARGEST_SIZE) if wanted > 0 else DEFAULT_SIZE


def token(position: Position, request: ensemble_pb2.ListManifestsRequest) -> str:
    """Opaque text that `position_of` reads back for a request with the same filters."""
    payload = f"{position.start_ns}/{position.request_id}".encode()
    return base64.urlsafe_b64encode(_digest(payload, request) + payload).decode("ascii")


def position_of(request: ensemble_pb2.ListManifestsRequest) -> Position | None:
    """Where the page of a request begins; None for the first page.

    Raises
    ------
    InvalidRequestError
        If the token is none of ours, or belongs to other filters.
    """
    if not request.page_token:
        return None
    try:
        raw = base64.b64decode(request.page_token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as err:
        raise _foreign() from err
    digest, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if digest != _digest(payload, request):
        raise _foreign()
    start_ns, _, request_id = payload.decode().partition("/")
    return Position(int(start_ns), request_id)


def _digest(payload: bytes, request: ensemble_pb2.ListManifestsRequest) -> bytes:
    filters = f"{request.state}/{request.outcome}/{request.ensemble}".encode()
    return hashlib.sha256(filters + b"\0" + payload).digest()[:_DIGEST_BYTES]


def _foreign() -> InvalidRequestError:
    problem = "is no token of a list with these filters"
    return InvalidRequestError(f"page_token {problem}", violations=(("page_token", problem),))
