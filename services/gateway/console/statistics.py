"""Figures of the latest requests, as the report has them, kept for a moment: they take their time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from services.gateway.console.reading import Reading
from services.ledger.reported import Which, shadow_records
from services.report.rows import Request, request_of
from services.report.shadows import Shadow
from services.report.source import shadow_of

T = TypeVar("T")

MOST: Final = 1_000
"""Latest requests that figures are made of; the report takes all."""
KEPT_S: Final = 20.0


@dataclass
class Kept:
    """Figures by what they are of, for as long as nobody would see them change."""

    clock: Callable[[], float] = time.monotonic
    _kept: dict[object, tuple[float, object]] = field(default_factory=dict)

    def get(self, key: object, make: Callable[[], T]) -> T:
        """What was made of late, or is made now."""
        now = self.clock()
        for old in [each for each, (at, _) in tuple(self._kept.items()) if now - at > KEPT_S]:
            self._kept.pop(old, None)
        if key not in self._kept:
            self._kept[key] = (now, make())
        return self._kept[key][1]  # type: ignore[return-value] # each key has one kind of figures


def requests(ledger: Reading, *, ensemble: str, since: datetime) -> list[Request]:
    """The latest answered requests to an ensemble, oldest first."""
    found = ledger.latest(ensemble=ensemble, since=since, most=MOST)
    return [request_of(manifest) for manifest in found][::-1]


def shadows(ledger: Reading, of: list[Request], *, ensemble: str, since: datetime) -> list[Shadow]:
    """What cheaper tiers would have answered to them."""
    if ledger.connection is None or not of:
        return []
    known = {request.request_id for request in of}
    which = Which(int(since.timestamp() * 1e9), (ensemble,))
    found = map(shadow_of, shadow_records(ledger.connection, which))
    return [shadow for shadow in found if shadow.request_id in known]
