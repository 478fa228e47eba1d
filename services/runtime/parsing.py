"""Parses what was received: large messages beside the event loop, and none of too many fields."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

from services.core.errors import InvalidRequestError
from services.runtime.aside import aside
from services.runtime.bounds import MAX_ITEMS

AT_ONCE_BYTES: Final = 64 * 1024
"""Messages up to this size are parsed at once, whatever is in them: that takes 2 ms at most."""
MAX_FIELDS: Final = 8 * MAX_ITEMS
"""Most fields of a larger message. The parser does not let go before it is done: 3 ms for so many."""

Read = Callable[[bytes], Any]


async def parsed(read: Read, data: bytes) -> Any:
    """Parse a message by the deserialiser of its type.

    Raises
    ------
    InvalidRequestError
        If the bytes are no such message, or one with more than MAX_FIELDS fields.
    """
    if len(data) <= AT_ONCE_BYTES:
        return _parse(read, data)
    return await aside(len(data), _parse_counted, read, data)


def _parse(read: Read, data: bytes) -> Any:
    try:
        return read(data)
    except DecodeError as err:
        raise InvalidRequestError(f"the bytes sent are no {_kind(read).__name__}") from err


def _parse_counted(read: Read, data: bytes) -> Any:
    if field := crowded(_kind(read).DESCRIPTOR, data):
        problem = f"with this the request has more than {MAX_FIELDS} fields"
        raise InvalidRequestError(f"{field}: {problem}", violations=((field, problem),))
    return _parse(read, data)


def _kind(read: Read) -> Any:
    """The message type whose `FromString` this is."""
    return read.__self__  # type: ignore[attr-defined]


def crowded(kind: Descriptor, data: bytes, *, most: int = MAX_FIELDS) -> str:
    """Where a message comes to hold more than `most` values; empty when it holds no more.

    Each occurrence of a field counts, at any depth, and each byte of packed
    numbers. Of bytes that are no message nothing is told: the parser does.
    """
    left = most
    try:
        for path, values in _fields(kind, data):
            left -= values
            if left < 0:
                return path
    except (DecodeError, IndexError):
        return ""
    return ""


class _Known(NamedTuple):
    """What one field number stands for."""

    name: str
    within: Descriptor | None
    """The type of a message, which has fields itself."""
    is_packed: bool


UNKNOWN: Final = _Known("?", None, is_packed=False)


def _fields(kind: Descriptor, data: bytes) -> Iterator[tuple[str, int]]:
    """Every occurrence of a field: its path, and how many values it holds."""
    at, open_ = 0, [(len(data), _known(kind), "")]
    while open_:
        end, known, path = open_[-1]
        if at >= end:
            open_.pop()
            continue
        tag, at = _varint(data, at)
        field, values = known.get(tag >> 3, UNKNOWN), 1
        match tag & 7:
            case 0:
                _, at = _varint(data, at)
            case 1 | 5 as fixed:
                at += 8 if fixed == 1 else 4
            case 2:
                size, at = _varint(data, at)
                if field.within is not None:
                    open_.append((at + size, _known(field.within), f"{path}{field.name}."))
                else:
                    at += size
                    values += size * field.is_packed
        yield f"{path}{field.name}", values


@cache
def _known(kind: Descriptor) -> Mapping[int, _Known]:
    return {
        field.number: _Known(field.name, field.message_type, is_packed=field.is_packed)
        for field in kind.fields
    }


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of at most ten bytes, and where it ends."""
    value = 0
    for nth in range(10):
        byte = data[at + nth]
        value |= (byte & 0x7F) << 7 * nth
        if byte < 0x80:
            return value, at + nth + 1
    raise DecodeError("a number of more than ten bytes")
