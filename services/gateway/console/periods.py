"""Stretches of time that pages look back on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class Period:
    """How far to look back, and how finely."""

    key: str
    name: str
    length_s: int
    every_s: int
    """Length of the stretches that are added up."""

    def since(self, now: datetime) -> datetime:
        """The beginning of the first stretch, so that all of them are whole but the last."""
        last = int(now.timestamp()) // self.every_s * self.every_s
        return datetime.fromtimestamp(last, UTC) - timedelta(seconds=self.length_s - self.every_s)


PERIODS: Final[Mapping[str, Period]] = {
    each.key: each
    for each in (
        Period("1h", "hour", HOUR_S, 300),
        Period("1d", "day", 24 * HOUR_S, HOUR_S),
        Period("7d", "week", 7 * 24 * HOUR_S, 6 * HOUR_S),
        Period("30d", "30 days", 30 * 24 * HOUR_S, 24 * HOUR_S),
    )
}
USUAL: Final = "7d"


def period_of(key: str | None) -> Period:
    """The period that an address asks for; a week when it asks for none that there is."""
    return PERIODS.get(key or USUAL, PERIODS[USUAL])
