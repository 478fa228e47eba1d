"""Asks a provider for a stream and puts its pieces together to the reply it stands for."""

from collections.abc import Mapping
from typing import Any, Protocol

from services.core.deadline import Deadline
from services.models.endpoint import Endpoint
from services.models.reading import error_text


class Assembly(Protocol):
    """Collects the pieces of one reply in one provider's protocol."""

    @property
    def is_complete(self) -> bool:
        """Whether the provider said why the reply ended."""
        ...

    def take(self, piece: Mapping[str, Any]) -> None:
        """Add a piece, and tell the listener what is new."""
        ...

    def whole(self) -> dict[str, Any]:
        """The reply as the provider would have sent it in one piece."""
        ...


async def streamed(
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, Any],
    assembly: Assembly,
    *,
    deadline: Deadline,
) -> dict[str, Any]:
    """Post `body` and return the reply, assembled.

    Raises
    ------
    BackendError
        As `Endpoint.post`, and if the stream ended before the reply did.
    TimeoutError
        If the deadline passed first.
    """

    def take(piece: Mapping[str, Any]) -> None:
        if error := piece.get("error"):
            raise endpoint.broken(error_text(error))
        assembly.take(piece)

    reply = await endpoint.stream(path, body, deadline=deadline, take=take)
    if reply is not None:
        return reply
    if not assembly.is_complete:
        raise endpoint.cut()
    return assembly.whole()
