"""JSON Schema draft 2020-12 in bounded work: patterns in linear time, every step counted."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import re2
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from services.core.unreadable import UnreadableError

MAX_WORK: Final = 100_000
"""Steps that reading one answer may take, each 1 µs and at most 3: an array of 500 records of
five checked fields takes 87,000."""
PER_KEYWORD: Final = 4
PER_ERROR: Final = 8
CHARS_PER_STEP: Final = 64
MATCHING_PER_STEP: Final = 128
"""Characters times instructions of a pattern that are a step: RE2 takes up to 6 ns for each."""
MAX_PATTERN_CHARS: Final = 1024
MAX_PATTERN_BYTES: Final = 1 << 18
"""Memory that a compiled pattern may take; a counted repetition can blow up a short one."""

Errors = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Errors | None]

_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|.)", re.DOTALL)


class _Work:
    """What one reading may still cost."""

    left = MAX_WORK


_work: ContextVar[_Work | None] = ContextVar("work", default=None)


@contextmanager
def bounded_work() -> Iterator[None]:
    """Let all that happens inside take MAX_WORK steps; within another, share its steps."""
    if _work.get() is not None:
        yield
        return
    token = _work.set(_Work())
    try:
        yield
    finally:
        _work.reset(token)


def spend(steps: int) -> None:
    """Count steps.

    Raises
    ------
    UnreadableError
        If they are more than are left; the reason is TOO_COSTLY.
    """
    work = _work.get()
    if work is None:
        return
    work.left -= steps
    if work.left < 0:
        text = f"reading it by its schema takes more than {MAX_WORK:,} steps"
        raise UnreadableError("TOO_COSTLY", text)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that is matched in linear time."""

    search: Callable[[str], Any]
    instructions: int


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern:
    """A pattern of a schema, compiled so that matching takes linear time.

    Raises
    ------
    ValueError
        If it is too long or none that can be matched so. Backreferences and
        look-around cannot.
    """
    if len(text) > MAX_PATTERN_CHARS:
        raise ValueError(f"has {len(text):,} characters; {MAX_PATTERN_CHARS:,} are allowed")
    options = re2.Options()
    options.log_errors, options.max_mem = False, MAX_PATTERN_BYTES
    try:
        compiled = re2.compile(_ESCAPE.sub(_code_point, text), options=options)
    except (re2.error, UnicodeEncodeError) as err:
        cause = err.args[0].decode() if isinstance(err.args[0], bytes) else str(err)
        raise ValueError(f"cannot be matched in linear time: {cause}") from err
    size = compiled._regexp.ProgramSize()  # noqa: SLF001  (its public class hides how large it is)
    return Pattern(compiled.search, size)


def _code_point(escape: re.Match[str]) -> str:
    return rf"\x{{{escape[1]}}}" if escape[1] else escape[0]


def _matches(expression: str, text: str) -> bool:
    known = pattern(expression)
    spend(2 + len(text) * known.instructions // MATCHING_PER_STEP)
    return known.search(text.encode(errors="replace").decode()) is not None


def _pattern(_: Any, expression: str, instance: Any, __: Any) -> Errors:
    if isinstance(instance, str) and not _matches(expression, instance):
        yield ValidationError(f"{instance!r} does not match {expression!r}")


def _pattern_properties(
    validator: Any, by_pattern: Mapping[str, Any], instance: Any, _: Any
) -> Errors:
    for expression, schema in by_pattern.items() if isinstance(instance, dict) else ():
        for key, value in instance.items():
            if _matches(expression, key):
                yield from validator.descend(value, schema, path=key, schema_path=expression)


def _additional_properties(
    validator: Any, extra: Any, instance: Any, schema: Mapping[str, Any]
) -> Errors:
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", ())
    unmatched = {
        key: value
        for key, value in instance.items()
        if not any(_matches(expression, key) for expression in patterns)
    }
    plain = {"properties": schema.get("properties", {})}
    standard = Draft202012Validator.VALIDATORS["additionalProperties"]
    yield from standard(validator, extra, unmatched, plain) or ()


def _unique_items(_: Any, unique: bool, instance: Any, __: Any) -> Errors:
    if not (unique and isinstance(instance, list)):
        return
    seen: set[str] = set()
    for item in instance:
        form = json.dumps(_number_forms(item), sort_keys=True)
        spend(PER_KEYWORD + len(form) // CHARS_PER_STEP)
        if form in seen:
            yield ValidationError("the array holds an item twice")
            return
        seen.add(form)


def _multiple_of(_: Any, factor: float, instance: Any, __: Any) -> Errors:
    """By the digits as they were written: 0.3 is a multiple of 0.1."""
    if isinstance(instance, bool) or not isinstance(instance, int | float):
        return
    if isinstance(instance, float) and not math.isfinite(instance):
        return  # it is refused as what is no number at all
    if Fraction(str(instance)) % Fraction(str(factor)):
        yield ValidationError(f"{instance!r} is not a multiple of {factor!r}")


def _number_forms(value: Any) -> Any:
    """The value with 1.0 written as 1: JSON Schema takes them for equal."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_number_forms(item) for item in value]
        case dict():
            return {key: _number_forms(item) for key, item in value.items()}
        case _:
            return value


def _counted(keyword: Keyword) -> Keyword:
    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
        spend(PER_KEYWORD + _members(value) + _members(instance))
        for error in keyword(validator, value, instance, schema) or ():
            spend(PER_ERROR + len(error.message) // CHARS_PER_STEP)  # it quotes the instance
            yield error

    return counted


def _members(value: Any) -> int:
    return len(value) if isinstance(value, list | dict) else 0


_OWN: Final[dict[str, Keyword]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "multipleOf": _multiple_of,
    "uniqueItems": _unique_items,
}
Validator: Final = extend(  # type: ignore[no-untyped-call]  # its stubs leave it untyped
    Draft202012Validator,
    {
        name: _counted(keyword)
        for name, keyword in {**Draft202012Validator.VALIDATORS, **_OWN}.items()
    },
)
"""Takes draft 2020-12. Schemas below it must not name a dialect of their own: jsonschema would
check them by the class of that name."""

PATTERNS_ARE_LINEAR: Final = FormatChecker(formats=())
PATTERNS_ARE_LINEAR.checks("regex", raises=ValueError)(
    lambda value: not isinstance(value, str) or pattern(value) is not None
)
