"""How routing went over time: which tier answered, and how often a cheaper one would have done. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.report.rows import Request
from services.report.shadows import Shadow


@dataclass(frozen=True, slots=True)
class Stretch:
    """What happened in one stretch of time."""

    begins: datetime
    requests: int
    compared: int
    """Requests that a cheaper tier was asked, too, and that could be compared."""
    enough: int
    """Those that it answered as well."""
    moved: int
    """Requests whose first tier was not enough."""
    in_vain_usd: float
    """What tiers cost that were not enough."""


@dataclass(frozen=True, slots=True)
class Course:
    """One ensemble, stretch by stretch."""

    every_s: int
    begins_s: tuple[int, ...]
    tiers: tuple[str, ...]
    """Those that answered, the most frequent first."""
    counts: tuple[tuple[int, ...], ...]
    """Requests by tier, then by stretch."""
    stretches: tuple[Stretch, ...]
    """In which something was asked, latest first."""


def course(
    requests: Sequence[Request],
    shadows: Sequence[Shadow],
    *,
    since_s: int,
    until_s: int,
    every_s: int,
) -> Course:
    """Count the requests of one ensemble by tier and time.

    Parameters
    ----------
    requests : sequence of Request
    shadows : sequence of Shadow
        Of the same requests.
    since_s, until_s : int
        First and last second that counts, since 1970.
    every_s : int
        Length of a stretch, > 0.
    """
    begins = tuple(range(since_s // every_s * every_s, until_s + 1, every_s))
    by_begin: dict[int, list[Request]] = {at: [] for at in begins}
    for request in requests:
        by_begin.get(int(request.start_s) // every_s * every_s, []).append(request)
    ended = [request.tiers[-1] for request in requests if request.tiers]
    tiers = tuple(sorted(set(ended), key=lambda tier: (-ended.count(tier), tier)))
    return Course(
        every_s=every_s,
        begins_s=begins,
        tiers=tiers,
        counts=tuple(tuple(_ended_in(tier, by_begin[at]) for at in begins) for tier in tiers),
        stretches=tuple(_stretch(at, by_begin[at], shadows) for at in begins[::-1] if by_begin[at]),
    )


def _ended_in(tier: str, requests: Sequence[Request]) -> int:
    return sum(bool(request.tiers) and request.tiers[-1] == tier for request in requests)


def _stretch(at: int, requests: Sequence[Request], shadows: Sequence[Shadow]) -> Stretch:
    names = {request.request_id for request in requests}
    known = [each for each in shadows if each.request_id in names and each.enough is not None]
    return Stretch(
        begins=datetime.fromtimestamp(at, UTC),
        requests=len(requests),
        compared=len(known),
        enough=sum(bool(each.enough) for each in known),
        moved=sum(len(request.tiers) > 1 for request in requests),
        in_vain_usd=sum(request.in_vain_usd for request in requests),
    )
