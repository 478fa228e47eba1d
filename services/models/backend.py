"""What every model backend can do, and a model of the roster with its backend."""

from dataclasses import dataclass, field
from typing import Protocol

from services.config.tree import Model
from services.core.answers import ModelReply, ModelRequest
from services.core.deadline import Deadline
from services.models.guard import Guard
from services.models.listening import Listener


class Backend(Protocol):
    """One model behind one provider's protocol. Safe for concurrent calls."""

    async def generate(
        self, request: ModelRequest, *, deadline: Deadline, listener: Listener | None = None
    ) -> ModelReply:
        """Ask the model once; a listener hears the answer while it is written.

        Cancelling the call closes its connection, so that the provider stops.

        Raises
        ------
        BackendError
            If the provider cannot be reached, refuses, replies with something
            that is no reply, or breaks off in the middle of one.
        TimeoutError
            If the deadline passed first.
        """
        ...


@dataclass(frozen=True, slots=True)
class RosterModel:
    """One model: what the configuration says of it, and how to call it."""

    name: str
    spec: Model
    backend: Backend
    guard: Guard = field(repr=False, compare=False)
    """Who decides whether it may be asked now."""
    service: str = ""
    """The service of the mesh that asks it, for its figures."""
