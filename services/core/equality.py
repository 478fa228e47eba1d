"""One form for all values that mean the same, so that they count as one vote."""

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from services.core.dialect import bounded_work
from services.core.schema import NOTHING, Schema, prepared, shape
from services.core.stretches import stretches
from services.core.unreadable import UnreadableError

EXACT_FORMATS: Final = frozenset(
    {"uri", "uri-reference", "uri-template", "iri", "iri-reference", "json-pointer", "regex",
     "password", "byte", "binary"}
)  # fmt: skip
"""Formats whose strings differ when their case or spacing does."""
MAX_AT_ONCE: Final = 4096
"""Values written by one call that lets no other thread in; more are written one by one."""
_WRITER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True)
MOST_MARKS: Final = 30
"""Accents on a letter that are put in order together: it takes their number squared."""
_MARKS: Final = re.compile(rf"[^\w\s\x00-\x7f]{{{MOST_MARKS}}}")
_PARTED: Final = "\u034f"
"""Unicode's mark that lets no accent pass (UAX 15, stream-safe text)."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def canonical_key(text: str) -> str:
    """Name of the class of a canonical JSON text: 16 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def dumped(value: Any) -> str:
    """JSON text with sorted keys and no spaces."""
    if _holds_more_than(MAX_AT_ONCE, value):
        return "".join(_WRITER.iterencode(value))
    return _WRITER.encode(value)


def _holds_more_than(most: int, value: Any) -> bool:
    """Whether there are more values in it, however deep."""
    pending, left = [value], most
    while pending:
        each = pending.pop()
        if isinstance(each, dict | list):
            left -= len(each)
            if left < 0:
                return True
            pending.extend(each.values() if isinstance(each, dict) else each)
    return False


def canonical(value: Any, schema: Schema | None = None) -> Any:
    """The canonical form of a JSON value, itself a JSON value.

    Keys are sorted and composed (NFC), integral numbers are integers, others
    have 12 digits, strings are compared without case and extra space unless the schema says
    `x-exact`. With a schema, an optional property counts as missing when it is
    null or its default, and arrays with `uniqueItems` or `x-unordered` count
    without order.

    Raises
    ------
    UnreadableError
        If the value holds a number that is not finite, or the same key twice,
        or if reading it by the schema takes too many steps.
    """
    root = NOTHING if schema is None else prepared(schema)
    with bounded_work():
        return _canonical(value, root, root)


def _canonical(value: Any, schema: Any, root: Schema) -> Any:
    known = shape(schema, root, value) if schema else NOTHING
    match value:
        case bool() | None:  # before int: True == 1 in Python
            return value
        case int():
            return value
        case float():
            return _number(value)
        case str():
            return _string(value, known)
        case list():
            return _array(value, known, root)
        case _:
            return _object(value, known, root)


def _number(value: float) -> int | float:
    if not math.isfinite(value):
        raise UnreadableError("NOT_FINITE", f"{value} is no JSON number")
    rounded = value if value.is_integer() else float(format(value, ".12g"))
    # The shortest digits are those that were written, as far as a float can hold them.
    return int(Decimal(repr(rounded))) if rounded.is_integer() else rounded


def _string(value: str, schema: Schema) -> str:
    form = schema.get("format")
    if form in ("date", "date-time"):
        return _moment(value, form)
    return sound(value) if _is_exact(schema) else fold(value)


def _is_exact(schema: Schema) -> bool:
    if schema.get("x-exact") is True or schema.get("format") in EXACT_FORMATS:
        return True
    if "contentEncoding" in schema or "contentMediaType" in schema:
        return True
    choices = [choice for choice in schema.get("enum", ()) if isinstance(choice, str)]
    return len({fold(choice) for choice in choices}) < len(set(choices))


def _moment(value: str, form: str) -> str:
    try:
        if form == "date":
            return date.fromisoformat(value.strip()).isoformat()
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return fold(value)
    try:
        return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()
    except OverflowError:
        return moment.isoformat()


def fold(text: str) -> str:
    """Text without what seldom carries meaning: case, extra space, ways to write an accent."""
    if text.isascii():
        return _spaced(text.lower())
    return _spaced("".join(map(_folded, stretches(text))))


def _folded(stretch: str) -> str:
    safe = _MARKS.sub(_parted, sound(stretch))
    decomposed = unicodedata.normalize("NFD", safe).casefold()
    return unicodedata.normalize("NFC", decomposed)


def _parted(crowd: re.Match[str]) -> str:
    return crowd[0] + _PARTED if any(map(unicodedata.combining, crowd[0])) else crowd[0]


def _spaced(text: str) -> str:
    """The words of a text with one space between them; what no blank parts stays one word."""
    parts: list[str] = []
    is_apart = False
    for stretch in stretches(text):
        if words := " ".join(stretch.split()):
            is_apart = bool(parts) and (is_apart or stretch[0].isspace())
            parts.append(f" {words}" if is_apart else words)
        is_apart = stretch[-1:].isspace()
    return "".join(parts)


def sound(text: str) -> str:
    """Text that UTF-8 can hold: lone surrogates become U+FFFD."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _array(items: list[Any], schema: Schema, root: Schema) -> list[Any]:
    leading = schema.get("prefixItems", ())
    rest = schema.get("items", NOTHING)
    forms = [
        _canonical(item, leading[i] if i < len(leading) else rest, root)
        for i, item in enumerate(items)
    ]
    if schema.get("uniqueItems") is True or schema.get("x-unordered") is True:
        return sorted(forms, key=dumped)
    return forms


def _object(value: Mapping[str, Any], schema: Schema, root: Schema) -> dict[str, Any]:
    parts = _by_key(schema.get("properties", NOTHING))
    extra = schema.get("additionalProperties", NOTHING)
    forms = {
        composed(key): _canonical(item, parts.get(composed(key), extra), root)
        for key, item in value.items()
    }
    if len(forms) < len(value):
        raise UnreadableError("DUPLICATE_KEY", "an object has the same key twice")
    optional = parts.keys() - set(map(composed, schema.get("required", ())))
    for key in optional & forms.keys():
        if forms[key] is None or _is_default(forms[key], parts[key], root):
            del forms[key]
    return dict(sorted(forms.items()))


def _by_key(parts: Schema) -> Schema:
    if all(map(str.isascii, parts)):
        return parts
    return {composed(name): part for name, part in parts.items()}


def composed(text: str) -> str:
    """A text with its accents written in one way (NFC)."""
    return text if text.isascii() else "".join(map(_composed, stretches(text)))


def _composed(stretch: str) -> str:
    return unicodedata.normalize("NFC", _MARKS.sub(_parted, sound(stretch)))


def _is_default(form: Any, schema: Any, root: Schema) -> bool:
    known = shape(schema, root, form)
    if "default" not in known:
        return False
    return dumped(_canonical(known["default"], schema, root)) == dumped(form)
