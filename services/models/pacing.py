"""Waits for a model's reply no longer than the configuration says: whole, first token, next token."""

import asyncio
from collections.abc import Callable

from services.config.care import Timeouts
from services.core.answers import ModelReply, ModelRequest
from services.core.deadline import Deadline
from services.models.asked import Attempt
from services.models.backend import RosterModel
from services.models.listening import Listener


class LateError(TimeoutError):
    """A token did not come in its time."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        """FIRST_TOKEN_LATE or TOKEN_LATE."""


async def generated(
    model: RosterModel, request: ModelRequest, until: Deadline, attempt: Attempt
) -> ModelReply:
    """The model's reply.

    Raises
    ------
    LateError
        If the model was given a limit on tokens and did not keep it.
    TimeoutError
        If the deadline passed first.
    BackendError
        As the backend.
    """
    limits = model.spec.timeouts
    async with asyncio.timeout(until.remaining()):
        if not limits.need_stream:
            return await model.backend.generate(request, deadline=until, listener=attempt.listener)
        attempt.listener = attempt.listener or Listener(_nobody)
        return await _paced(model, request, until, attempt.listener)


async def _paced(
    model: RosterModel, request: ModelRequest, until: Deadline, listener: Listener
) -> ModelReply:
    limits, heard_before = model.spec.timeouts, listener.heard
    try:
        async with asyncio.timeout(limits.first_token_s) as limit:
            listener.on_piece = _pushing(limit, limits)
            return await model.backend.generate(request, deadline=until, listener=listener)
    except TimeoutError as err:
        if not limit.expired():
            raise
        raise _late(limits, first=listener.heard == heard_before) from err
    finally:
        listener.on_piece = None


def _pushing(limit: asyncio.Timeout, limits: Timeouts) -> Callable[[], None]:
    """Moves the limit on with each piece that the model writes."""
    loop = asyncio.get_running_loop()

    def push() -> None:
        if not limit.expired():
            between_s = limits.between_tokens_s
            limit.reschedule(None if between_s is None else loop.time() + between_s)

    return push


def _late(limits: Timeouts, *, first: bool) -> LateError:
    if first:
        return LateError("FIRST_TOKEN_LATE", f"no token within {limits.first_token_s:g} s")
    return LateError("TOKEN_LATE", f"no further token within {limits.between_tokens_s:g} s")


def _nobody(text: str) -> None:
    del text
