"""Tells what a request spends before it has ended, so that the ledger knows it of a dead one, too."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gremium.v1 import manifest_pb2
from services.core.lease import Lease
from services.gateway.case import Case
from services.gateway.losses import Seat, lost

TellSpent = Callable[[manifest_pb2.Manifest], None]
"""Takes a manifest that is its own; must not block."""


class Spending:
    """What one request, or one step of it, has spent and may be spending just now."""

    def __init__(
        self, case: Case, manifest: manifest_pb2.Manifest, tell: TellSpent | None = None
    ) -> None:
        self._case = case
        self._manifest = manifest
        self._tell_spent = tell
        self._at_risk: dict[object, Sequence[manifest_pb2.Participation]] = {}

    @property
    def is_told(self) -> bool:
        """Whether anybody takes note."""
        return self._tell_spent is not None

    @contextmanager
    def at_risk(
        self, part: manifest_pb2.Participation, seats: Sequence[Seat], lease: Lease
    ) -> Iterator[None]:
        """In the block the models of `seats` may be paid: each counts as if the stage were lost.

        They have no status, as it is not known how they end.
        """
        if self._tell_spent is None or not seats:
            yield
            return
        asked = manifest_pb2.Participation()
        asked.CopyFrom(part)
        asked.ClearField("status")
        self._at_risk[id(part)] = lost(asked, seats, self._case, lease)
        self._tell()
        try:
            yield
        finally:
            del self._at_risk[id(part)]

    def of_step(self, step_id: str, parts: Sequence[manifest_pb2.Participation]) -> None:
        """A step that has not ended says what it has spent so far."""
        self._at_risk[step_id] = parts
        self._tell()

    def step_ended(self, step_id: str) -> None:
        """What the step spent stands in the manifest now."""
        self._at_risk.pop(step_id, None)

    def _tell(self) -> None:
        if self._tell_spent is None:
            return
        told = manifest_pb2.Manifest()
        told.CopyFrom(self._manifest)
        for parts in self._at_risk.values():
            told.participations.extend(parts)
        self._tell_spent(told)
