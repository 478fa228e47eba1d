"""Leaves a model alone for as long as its provider wishes, by the headers of its replies. No I/O."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from services.config.care import Throttle as Policy

FAMILIES: Final = (
    "x-ratelimit-{}-requests",
    "x-ratelimit-{}-tokens",
    "anthropic-ratelimit-requests-{}",
    "anthropic-ratelimit-tokens-{}",
    "anthropic-ratelimit-input-tokens-{}",
    "anthropic-ratelimit-output-tokens-{}",
    "x-ratelimit-{}",
    "ratelimit-{}",
)
"""Names of the headers `limit`, `remaining` and `reset`: OpenAI's and what copies it, Anthropic's,
OpenRouter's, and of the IETF's draft-ietf-httpapi-ratelimit-headers-06."""
REFILLED: Final = re.compile(r"-(requests|tokens)")
"""Buckets that fill steadily, so that `reset` tells when they are full; the others are windows."""
PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
UNITS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
EPOCH_S: Final = 1e9
"""A number of seconds above this is a point in time."""
EPOCH_MS: Final = 1e12
"""A number above this is one in milliseconds, as OpenRouter sends it."""
MOST_S: Final = 366 * 86_400.0
"""Nobody waits longer, and a message could not say so."""


@dataclass(slots=True)
class Throttle:
    """Until when a model is not asked because its provider refuses."""

    policy: Policy
    clock: Callable[[], float]
    until: float = 0.0
    """On `clock`."""
    _bare: int = 0
    """Refusals in a row that named no time."""

    @property
    def left_s(self) -> float:
        """Time for which the model is left alone; 0 when it may be asked."""
        return max(0.0, self.until - self.clock())

    def refused(self, retry_after_s: float | None) -> None:
        """The provider refused because it is asked too often, and perhaps said for how long."""
        if retry_after_s is not None:
            self._pause(retry_after_s)
        elif self.left_s == 0.0:  # else one burst of calls would count as many refusals
            self._pause(self.policy.bare_s * 2.0 ** min(self._bare, 16))
            self._bare += 1

    def served(self) -> None:
        """The provider took a call."""
        self._bare = 0

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take note of what a reply's headers say is left."""
        wait_s = exhausted_s(headers, datetime.now(UTC))
        if wait_s > 0.0:
            self._pause(wait_s)

    def _pause(self, wait_s: float) -> None:
        self.until = max(self.until, self.clock() + min(wait_s, self.policy.max_s))


def exhausted_s(headers: Mapping[str, str], now: datetime) -> float:
    """Time until a provider that has nothing left takes the next call; 0 when it has some.

    Examples
    --------
    >>> left = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0"}
    >>> exhausted_s(left | {"x-ratelimit-reset-requests": "1m0s"}, datetime.now(UTC))
    1.0
    """
    return max(_exhausted_s(headers, family, now) for family in FAMILIES)


def _exhausted_s(headers: Mapping[str, str], family: str, now: datetime) -> float:
    remaining = _number(headers.get(family.format("remaining"), ""))
    if remaining is None or remaining > 0.0:
        return 0.0
    reset_s = duration_s(headers.get(family.format("reset"), ""), now)
    if reset_s is None:
        return 0.0
    if not REFILLED.search(family):
        return reset_s
    limit = _number(headers.get(family.format("limit"), "")) or 1.0
    # A bucket of tokens has to hold those of a whole call: a tenth is a guess that is put right
    # by the next reply.
    needed = 0.1 * limit if "tokens" in family else 1.0
    return reset_s * min(1.0, needed / limit)


def duration_s(value: str, now: datetime) -> float | None:
    """Seconds of `1.5`, `6m0s`, `120ms`, an HTTP or RFC 3339 date, or seconds since 1970.

    At most MOST_S; None where it tells no time.

    Examples
    --------
    >>> duration_s("1m30s", datetime.now(UTC))
    90.0
    """
    told_s = _told_s(value.strip(), now)
    return None if told_s is None else min(told_s, MOST_S)


def _told_s(value: str, now: datetime) -> float | None:
    number = _number(value)
    if number is not None:
        moment_s = number / 1e3 if number > EPOCH_MS else number
        return max(0.0, moment_s - now.timestamp()) if number > EPOCH_S else number
    parts = PART.findall(value)
    if parts and "".join(amount + unit for amount, unit in parts) == value:
        return sum(float(amount) * UNITS[unit] for amount, unit in parts)
    moment = _moment(value)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0.0 <= number < float("inf") else None


def _moment(value: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(value)
        except (ValueError, OverflowError):
            continue
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    return None
