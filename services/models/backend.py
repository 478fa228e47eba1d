"""What every model backend can do."""

from typing import Protocol

from services.core.answers import ModelReply, ModelRequest
from services.core.deadline import Deadline


class Backend(Protocol):
    """One model behind one provider's protocol. Safe for concurrent calls."""

    async def generate(self, request: ModelRequest, *, deadline: Deadline) -> ModelReply:
        """Ask the model once.

        Cancelling the call closes its connection, so that the provider stops.

        Raises
        ------
        BackendError
            If the provider cannot be reached, refuses, or replies with
            something that is no reply.
        TimeoutError
            If the deadline passed first.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
