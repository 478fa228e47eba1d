"""What the end of one call says of its model. No I/O."""

from dataclasses import dataclass
from typing import Final

from services.core.errors import BackendError

BUSY_STATUSES: Final = frozenset({"408", "429", "503", "504", "529"})
"""Statuses of a provider that has too much to do; 529 is Anthropic's."""
RETRIED_STATUSES: Final = BUSY_STATUSES | {"500", "502"}
BROKEN: Final = frozenset({"CONNECTION", "INVALID_REPLY", "STREAM_CUT"})
"""Causes that are the provider's fault, beside its statuses from 500 on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended, for whoever decides about the next ones."""

    failed: bool | None = None
    """Whether it counts against the model; None: it says nothing of it."""
    too_much: bool = False
    """Whether the model has too much to do."""
    rate_limited: bool = False
    """Whether the provider refuses because it is asked too often."""
    retry_after_s: float | None = None
    """Time for which the provider asked to be left alone."""
    may_retry: bool = False
    """Whether the same call may do better at once."""
    latency_s: float | None = None
    """Time to the answer, if there was one."""


NOTHING: Final = Outcome()
"""Of a call that was stopped, never sent, or was its caller's mistake."""

SERVED: Final = Outcome(failed=False)
"""Of a call that went well, however long it took."""
LATE: Final = Outcome(failed=True, too_much=True)
"""Of a model that stopped writing."""


def answered(latency_s: float) -> Outcome:
    return Outcome(failed=False, latency_s=latency_s)


def timed_out(*, waited_s: float, usual_s: float) -> Outcome:
    """Of a call without an answer in its time: a caller in a hurry proves nothing."""
    return NOTHING if waited_s < usual_s else LATE


def failed(err: BackendError) -> Outcome:
    """Of an error: what the provider does wrong, not what it is asked wrongly.

    Examples
    --------
    >>> failed(BackendError("no such model", cause="HTTP_STATUS", http_status=404)).failed
    >>> failed(BackendError("oops", cause="HTTP_STATUS", http_status=500)).failed
    True
    """
    status = err.metadata.get("http_status", "")
    if err.cause == "RATE_LIMITED":
        return Outcome(
            too_much=True,
            rate_limited=True,
            retry_after_s=err.retry_after_s,
            may_retry=err.retry_after_s is not None,
        )
    broken = err.cause in BROKEN or (err.cause == "HTTP_STATUS" and status >= "500")
    if not broken and status != "408":
        return NOTHING
    return Outcome(
        failed=True,
        too_much=status in BUSY_STATUSES,
        rate_limited=status in BUSY_STATUSES and err.retry_after_s is not None,
        retry_after_s=err.retry_after_s,
        may_retry=status in RETRIED_STATUSES or err.cause in {"CONNECTION", "STREAM_CUT"},
    )
