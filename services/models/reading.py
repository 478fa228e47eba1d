"""What providers' replies have in common: careful readers of untrusted JSON."""

import sys
from collections.abc import Mapping
from typing import Any, Final

import orjson

MAX_TOKENS: Final = 100_000_000
"""More than any context holds: a larger count is a mistake, and would be billed."""
MAX_COST_USD: Final = 10_000.0
"""More than any single call costs."""


def tokens(value: object) -> int:
    """A token count; 0 for anything that is none."""
    return count(value) or 0


def count(value: object) -> int | None:
    """A token count; None for anything that is none."""
    given = number(value)
    return int(given) if given is not None and 0 <= given <= MAX_TOKENS else None


def usd(value: object) -> float | None:
    """What a call cost, in US dollars; None for anything that it cannot have cost."""
    given = number(value)
    return given if given is not None and 0 <= given <= MAX_COST_USD else None


def logprob(value: object) -> float | None:
    """A log-probability; None for anything that is no number, 0 for what rounding left above."""
    given = number(value)
    return None if given is None else min(0.0, given)


def number(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -sys.float_info.max <= value <= sys.float_info.max else None


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Mapping[str, Any]]:
    """The objects of a JSON array; none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """A string; empty for anything else."""
    return value if isinstance(value, str) else ""


def error_text(error: object) -> str:
    """What a provider says of a failure: its message, else all of it."""
    said = error if isinstance(error, str) else mapping(error).get("message")
    return text(said) or orjson.dumps(error).decode()


def arguments_json(value: object) -> str:
    """Arguments of a tool call as JSON text, whether they came as text or as an object."""
    if isinstance(value, str):
        return value or "{}"
    return orjson.dumps(value if value is not None else {}).decode()


def arguments_object(arguments: str) -> Mapping[str, Any]:
    """Arguments of an earlier tool call as the object that some providers want."""
    try:
        value = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        return {"arguments": arguments}
    return value if isinstance(value, dict) else {"arguments": value}
