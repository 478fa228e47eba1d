"""Counts what a request holds: its fields before it is parsed, its items before its rules are looked at."""

from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message as WireMessage

from buf.validate import validate_pb2

MAX_ITEMS: Final = 4096
"""Most items of all lists of a request together; the rules take 4 µs for each."""

Violation = tuple[str, str]


class Held(NamedTuple):
    """What a request holds."""

    items: int
    """Of all lists together."""
    excess: Violation | None
    """The first field that holds more than its rules or MAX_ITEMS allow, and how much that is."""


class _Bound(NamedTuple):
    """What one field may hold; 0 where no rule tells."""

    items: int
    bytes: int
    is_list: bool
    is_message: bool
    """Nothing is told of what a map holds."""


def held(request: WireMessage) -> Held:
    """Count what a request holds; no more than MAX_ITEMS items are looked at, whatever was sent."""
    items, pending = 0, deque([("", request)])
    while pending:
        path, message = pending.popleft()
        for field, value in message.ListFields():
            bound, name = _bound(field), f"{path}{field.name}"
            if bound.is_list:
                items += len(value)
                if problem := _too_many(len(value), items, bound.items):
                    return Held(items, (name, problem))
            if bound.is_message:
                pending.extend((f"{step}.", each) for step, each in _steps(name, value, bound))
            elif bound.bytes and (step := _too_long(name, value, bound)):
                return Held(items, (step, f"must be at most {bound.bytes} bytes"))
    return Held(items, None)


def _too_many(count: int, items: int, most: int) -> str:
    if most and count > most:
        return f"must contain no more than {most} item(s)"
    if items > MAX_ITEMS:
        return f"with this the request has {items} items; at most {MAX_ITEMS} are allowed in all"
    return ""


def _too_long(name: str, value: Any, bound: _Bound) -> str:
    """Where a text has more than a field allows; empty where none has."""
    return next((step for step, text in _steps(name, value, bound) if len(text) > bound.bytes), "")


def _steps(name: str, value: Any, bound: _Bound) -> Iterator[tuple[str, Any]]:
    """What a field holds, each with its path."""
    if not bound.is_list:
        yield name, value
        return
    for i, each in enumerate(value):
        yield f"{name}[{i}]", each


@cache
def _bound(field: FieldDescriptor) -> _Bound:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    of_text = rules.repeated.items if field.is_repeated else rules
    kind = field.message_type
    return _Bound(
        rules.repeated.max_items or rules.map.max_pairs,
        of_text.string.max_bytes or of_text.bytes.max_len,
        field.is_repeated,
        kind is not None and not kind.GetOptions().map_entry,
    )
