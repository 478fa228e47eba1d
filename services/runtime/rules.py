"""The rules that stand in the protos: requests that break them are refused, by field."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import protovalidate
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from services.core.errors import InvalidRequestError
from services.runtime.aside import aside
from services.runtime.bounds import held

SMALL_BYTES: Final = 2048
"""Requests up to this size hold too little to be counted before their rules are looked at."""
MAX_EXPLAINED: Final = 256
"""Items of a request of which all that is wrong is told, at 10 µs each."""


def check(request: Message) -> None:
    """Check a request against the rules that stand in its proto.

    Raises
    ------
    InvalidRequestError
        If it breaks one. It names every field that does, of more than MAX_EXPLAINED items one.
    """
    if request.ByteSize() <= SMALL_BYTES and not _violations(request, first=True):
        return
    items, excess = held(request)
    if excess is not None:
        raise InvalidRequestError(f"{excess[0]}: {excess[1]}", violations=(excess,))
    found = _violations(request, first=items > MAX_EXPLAINED)
    if not found:
        return
    violations = tuple((_path(v.proto.field), v.proto.message) for v in found)
    field, problem = violations[0]
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    raise InvalidRequestError(f"{field or 'request'}: {problem}{more}", violations=violations)


def _violations(request: Message, *, first: bool) -> list[protovalidate.Violation]:
    """The rules of a request's proto that it breaks, or the first one of them."""
    return protovalidate.collect_violations(request, fail_fast=first)


def know_rules(services: Iterable[str]) -> None:
    """Compile the rules of what these services take, so that no request waits for it."""
    for service in services:
        for method in descriptor_pool.Default().FindServiceByName(service).methods:
            with suppress(InvalidRequestError):
                check(message_factory.GetMessageClass(method.input_type)())


async def check_aside(request: Message) -> None:
    """Check a request as `check` does, a large one beside the event loop."""
    await aside(request.ByteSize(), check, request)


def check_unique(field: str, jurors: Sequence[str]) -> None:
    """Refuse a field that names a juror twice.

    Raises
    ------
    InvalidRequestError
        If it does.
    """
    if twice := sorted({juror for juror in jurors if jurors.count(juror) > 1}):
        problem = f"jurors must be unique; {twice} occur twice"
        raise InvalidRequestError(f"{field}: {problem}", violations=((field, problem),))


def _path(field: Any) -> str:
    """Dotted path of a violation's field, such as `prompt.messages[0].role`."""
    steps = []
    for element in field.elements if field is not None else ():
        subscript = element.subscript
        steps.append(
            element.field_name if subscript is None else f"{element.field_name}[{subscript.value}]"
        )
    return ".".join(steps)
