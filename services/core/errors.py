"""Errors the mesh raises on purpose.

GremiumError
├── InvalidRequestError      the caller must change the request
├── DeadlineMissingError     the caller must set a deadline
├── UnknownEnsembleError     the config has no such ensemble
├── UnknownModelError        the roster has no such model
├── UnknownRequestError      the ledger has no such request
├── NoEligibleTierError      the limits exclude every tier
├── InvalidPlanError         the steps of the ensemble cannot be run
├── RequestIdReusedError     the same request_id came with another body
├── ReplyExpiredError        the same request_id ended too long ago
├── RequestInProgressError   the first call with this request_id still runs
├── InterruptedRequestError  the mesh stopped before that request ended
├── CancelledRequestError    that request's caller left before it ended
├── LedgerError              the ledger cannot record or read
├── QuorumNotReachedError    too few jurors answered
├── StageFailedError         a service was not there after models had been asked
├── StageLostError           a service took the call and broke off
├── BackendError             a model backend failed
├── DeadlineSpentError       no time is left
├── BudgetSpentError         no money, calls or tokens are left
├── OverloadedError          the service has no free slot
├── PeerError                a mesh service did not take the call
└── InternalError            a mesh service failed without saying why

`services.runtime.status` maps each of these to one gRPC status code.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final, Self

MOST_TOLD: Final = 4
"""Jurors that the message of an error tells of."""


class GremiumError(Exception):
    """A foreseen failure. Its message is for the caller's eyes."""

    reason: ClassVar[str]
    """`ErrorInfo.reason`, UPPER_SNAKE."""

    def __init__(self, message: str, **metadata: object) -> None:
        super().__init__(message)
        self.metadata = {key: str(value) for key, value in metadata.items()}


class InvalidRequestError(GremiumError):
    """The request breaks a rule of the contract."""

    reason = "INVALID_REQUEST"

    def __init__(
        self, message: str, *, violations: tuple[tuple[str, str], ...] = (), **metadata: object
    ) -> None:
        super().__init__(message, **metadata)
        self.violations = violations
        """Pairs of field path and what is wrong with it."""


class DeadlineMissingError(GremiumError):
    """The caller set no deadline and the ensemble names no default."""

    reason = "DEADLINE_MISSING"


class UnknownEnsembleError(GremiumError):
    """The config has no such ensemble."""

    reason = "UNKNOWN_ENSEMBLE"

    @classmethod
    def named(cls, name: str, known: Iterable[str]) -> Self:
        return cls(f"no ensemble {name!r}; there are: {', '.join(sorted(known))}")


class UnknownModelError(GremiumError):
    """The roster has no such model."""

    reason = "UNKNOWN_MODEL"


class UnknownRequestError(GremiumError):
    """The ledger has no such request."""

    reason = "UNKNOWN_REQUEST"


class NoEligibleTierError(GremiumError):
    """The request's limits exclude every tier."""

    reason = "NO_ELIGIBLE_TIER"


class InvalidPlanError(GremiumError):
    """The ensemble's steps make no graph that can be run."""

    reason = "INVALID_PLAN"


class RequestIdReusedError(GremiumError):
    """The same request_id came before with another body."""

    reason = "REQUEST_ID_REUSED"


class ReplyExpiredError(GremiumError):
    """That request ended too long ago for its reply to be told again; ask with a new request_id."""

    reason = "REPLY_EXPIRED"


class RequestInProgressError(GremiumError):
    """The first call with this request_id has not ended."""

    reason = "REQUEST_IN_PROGRESS"


class InterruptedRequestError(GremiumError):
    """The mesh stopped before the request ended; ask again with a new request_id."""

    reason = "INTERRUPTED"


class CancelledRequestError(GremiumError):
    """All who waited left before the request ended.

    Its request_id asks anew if no model had been asked yet; else only a new one does.
    """

    reason = "CANCELLED"


class LedgerError(GremiumError):
    """The ledger cannot record or read."""

    reason = "LEDGER_FAILED"


class QuorumNotReachedError(GremiumError):
    """Fewer jurors answered than the tier needs."""

    reason = "QUORUM_NOT_REACHED"

    @classmethod
    def counting(cls, *, answered: int, quorum: int, missing: Sequence[str] = ()) -> Self:
        """`missing` says of each juror without an answer how it ended; the first ones are told."""
        told = [*missing[:MOST_TOLD], *(["…"] if len(missing) > MOST_TOLD else [])]
        why = f": {', '.join(told)}" if told else ""
        return cls(
            f"{answered} of {quorum} needed jurors answered{why}", answered=answered, quorum=quorum
        )


class StageFailedError(GremiumError):
    """A service did not take the call after models had been asked: asking again spends again."""

    reason = "STAGE_FAILED"


class StageLostError(GremiumError):
    """A service took the call and broke off: models may have been asked, and paid."""

    reason = "STAGE_LOST"


class BackendError(GremiumError):
    """A model backend failed."""

    reason = "BACKEND_FAILED"

    def __init__(
        self,
        message: str,
        *,
        cause: str = "BACKEND_FAILED",
        retry_after_s: float | None = None,
        **metadata: object,
    ) -> None:
        super().__init__(message, cause=cause, **metadata)
        self.cause = cause
        """UPPER_SNAKE: CONNECTION, HTTP_STATUS, RATE_LIMITED, AUTHENTICATION,
        INVALID_REPLY, UNSUPPORTED, CASSETTE_MISS, …"""
        self.retry_after_s = retry_after_s
        """Seconds the backend asked to be left alone, if it said so."""


class DeadlineSpentError(GremiumError):
    """No time is left."""

    reason = "DEADLINE_SPENT"


class BudgetSpentError(GremiumError):
    """No money, calls or tokens are left."""

    reason = "BUDGET_SPENT"

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, **metadata: object
    ) -> None:
        super().__init__(message, **metadata)
        self.retry_after_s = retry_after_s
        """Seconds until more may be left, if that is known."""


class OverloadedError(GremiumError):
    """The service has no free slot."""

    reason = "OVERLOADED"


class PeerError(GremiumError):
    """A mesh service did not take the call."""

    reason = "PEER_UNAVAILABLE"


class InternalError(GremiumError):
    """A mesh service failed without saying why; its log has the traceback."""

    reason = "INTERNAL"
