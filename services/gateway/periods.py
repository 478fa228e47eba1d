"""Hours, days and months of the calendar in UTC. No clock."""

from datetime import UTC, datetime, timedelta

from services.config.budgets import Period


def period_start(per: Period, now: datetime) -> datetime:
    """When the period began that a point in time belongs to.

    Examples
    --------
    >>> period_start("month", datetime(2026, 2, 28, 23, 59, tzinfo=UTC)).isoformat()
    '2026-02-01T00:00:00+00:00'
    """
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if per == "hour":
        return hour
    day = hour.replace(hour=0)
    return day if per == "day" else day.replace(day=1)


def period_end(per: Period, now: datetime) -> datetime:
    """When the next period begins.

    Examples
    --------
    >>> period_end("month", datetime(2026, 12, 31, tzinfo=UTC)).isoformat()
    '2027-01-01T00:00:00+00:00'
    """
    start = period_start(per, now)
    match per:
        case "hour":
            return start + timedelta(hours=1)
        case "day":
            return start + timedelta(days=1)
        case "month":
            return (start + timedelta(days=32)).replace(day=1)
