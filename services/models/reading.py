"""What providers' replies have in common: careful readers of untrusted JSON."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

MAX_TOKENS: Final = 2**40


def tokens(value: object) -> int:
    """A token count; 0 for anything that is none."""
    given = number(value)
    return int(given) if given is not None and 0 <= given <= MAX_TOKENS else 0


def number(value: object) -> float | None:
    """A number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Mapping[str, Any]]:
    """The objects of a JSON array; none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """A string; empty for anything else."""
    return value if isinstance(value, str) else ""


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
