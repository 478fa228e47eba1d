"""Counts what a request holds before its rules are looked at: those take 4 µs for each item."""

from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message as WireMessage

from buf.validate import validate_pb2

MAX_ITEMS: Final = 4096
"""Most items of all lists of a request together."""

Violation = tuple[str, str]


def over_bounds(request: WireMessage) -> Violation | None:
    """The first field that holds more than its rules or MAX_ITEMS allow, and how much that is.

    No more than MAX_ITEMS items are looked at, whatever was sent.
    """
    items, pending = 0, deque([("", request)])
    while pending:
        path, message = pending.popleft()
        for field, most_items, most_bytes in _bounded(message.DESCRIPTOR):
            name = f"{path}{field.name}"
            if field.is_repeated:
                count = len(getattr(message, field.name))
                items += count
                if problem := _too_many(count, items, most_items):
                    return name, problem
            for step, value in _held(message, field):
                if isinstance(value, WireMessage):
                    pending.append((f"{name}{step}.", value))
                elif most_bytes and len(value) > most_bytes:
                    return f"{name}{step}", f"must be at most {most_bytes} bytes"
    return None


def _too_many(count: int, items: int, most: int) -> str:
    if most and count > most:
        return f"must contain no more than {most} item(s)"
    if items > MAX_ITEMS:
        return f"with this the request has {items} items; at most {MAX_ITEMS} are allowed in all"
    return ""


@cache
def _bounded(kind: Descriptor) -> tuple[tuple[FieldDescriptor, int, int], ...]:
    """Fields that can be large, with most items and most bytes of each; 0 where no rule tells."""
    return tuple(
        (field, *_most(field))
        for field in kind.fields
        if field.is_repeated or field.message_type or _most(field)[1]
    )


def _most(field: FieldDescriptor) -> tuple[int, int]:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    of_text = rules.repeated.items if field.is_repeated else rules
    most_items = rules.repeated.max_items or rules.map.max_pairs
    return most_items, of_text.string.max_bytes or of_text.bytes.max_len


def _held(
    message: WireMessage, field: FieldDescriptor
) -> Iterator[tuple[str, WireMessage | str | bytes]]:
    """What a field holds, each with its subscript; of numbers and maps nothing is told."""
    if field.message_type and field.message_type.GetOptions().map_entry:
        return
    texts = field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}
    if not texts and not field.message_type:
        return
    if field.is_repeated:
        for i, value in enumerate(getattr(message, field.name)):
            yield f"[{i}]", value
    elif texts or message.HasField(field.name):
        yield "", getattr(message, field.name)
