"""What a validator found, in the words of somebody who writes a configuration."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from services.config.described import descriptions
from services.config.places import place, section_at, value_at

Context = Mapping[str, Any]

PATTERNS: Final = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$": "may hold letters, digits, `.`, `_` and `-`, starts"
    " with a letter or digit, and has at most 128 characters",
    r"^([A-Za-z_][A-Za-z0-9_]*)?$": "must be the name of an environment variable, such as"
    " OPENAI_API_KEY, never the key itself",
    r"^([0-9a-f]{64})?$": "must be 64 hexadecimal digits in lower case",
}

PLAIN: Final[Mapping[str, Callable[[Context], str]]] = {
    "greater_than": lambda c: f"must be above {c['gt']:g}",
    "greater_than_equal": lambda c: f"must be at least {c['ge']:g}",
    "less_than": lambda c: f"must be below {c['lt']:g}",
    "less_than_equal": lambda c: f"must be at most {c['le']:g}",
    "finite_number": lambda _: "must be a finite number",
    "float_type": lambda _: "must be a number",
    "float_parsing": lambda _: "must be a number",
    "int_type": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "bool_type": lambda _: "must be true or false",
    "bool_parsing": lambda _: "must be true or false",
    "string_type": lambda _: "must be text; put it in quotes",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda c: f"has more than {c['max_length']} characters",
    "string_pattern_mismatch": lambda c: PATTERNS.get(c["pattern"], f"must match {c['pattern']}"),
    "literal_error": lambda c: f"must be {c['expected']}",
    "dict_type": lambda _: "must hold keys and their values",
    "model_type": lambda _: "must hold keys and their values",
    "model_attributes_type": lambda _: "must hold keys and their values",
    "tuple_type": lambda _: "must be a list",
    "too_short": lambda c: f"needs at least {c['min_length']} of them",
    "too_long": lambda c: f"may have at most {c['max_length']} of them",
    "value_error": lambda c: str(c["error"]),
    "union_tag_not_found": lambda _: (
        "`pattern` is missing; it must be 'route', 'cascade', 'jury' or 'specialists'"
    ),
    "union_tag_invalid": lambda c: f"`pattern` must be {_or(c['expected_tags'])}, not '{c['tag']}'",
}
"""Plain words by the validator's kind of error."""

SHOWN: Final = (bool, int, float, str)
LONGEST_SHOWN: Final = 40


def explain(error: ErrorDetails, data: Any) -> str | None:
    """Say what is wrong at the error's place; None if another error says it already."""
    match error["type"]:
        case "extra_forbidden":
            return unknown_key(str(error["loc"][-1]), section_at(error["loc"][:-1]))
        case "missing":
            return missing_key(str(error["loc"][-1]), section_at(error["loc"][:-1]))
        case "too_short" if _has_enough(error, data):
            return None  # its items are at fault, and each has an error of its own
        case kind:
            known = PLAIN.get(kind)
            words = known(error.get("ctx", {})) if known else error["msg"]
            return words + _seen(error)


def unknown_key(key: str, section: type[BaseModel] | None) -> str:
    known = sorted(section.model_fields) if section else []
    close = get_close_matches(key, known, n=1)
    if close:
        return f"unknown key `{key}`; did you mean `{close[0]}`?"
    return f"unknown key `{key}`; known here: {', '.join(known)}"


def missing_key(key: str, section: type[BaseModel] | None) -> str:
    about = " ".join(descriptions(section).get(key, "").split()) if section else ""
    return f"`{key}` is missing ({about.rstrip('.')})" if about else f"`{key}` is missing"


def _has_enough(error: ErrorDetails, data: Any) -> bool:
    items = value_at(data, place(error["loc"]))
    return isinstance(items, list | dict) and len(items) >= error["ctx"]["min_length"]


def _seen(error: ErrorDetails) -> str:
    """What stands there now, if it is short and adds something."""
    seen = error.get("input")
    if error["type"].startswith(("union_tag", "value_error", "too_", "string_too")):
        return ""
    if error["loc"][-1:] == ("api_key_env",):
        return ""  # it may be the key itself
    if not isinstance(seen, SHOWN) or len(str(seen)) > LONGEST_SHOWN:
        return ""
    return f", not {str(seen).lower() if isinstance(seen, bool) else repr(seen)}"


def _or(listed: str) -> str:
    """`'a', 'b', 'c'` as `'a', 'b' or 'c'`."""
    return " or ".join(listed.rsplit(", ", 1))
