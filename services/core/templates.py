"""Texts with places to fill in: `{prompt}`, `{summary}`. Pure."""

import re
from collections.abc import Mapping
from typing import Final

PLACE: Final = re.compile(r"\{([A-Za-z0-9][A-Za-z0-9._-]*)\}")


def places(template: str) -> list[str]:
    """Names of the places, each once, in their order.

    Examples
    --------
    >>> places('Compare {a} with {b}, then {a}; {"json": 1} and {} are no places.')
    ['a', 'b']
    """
    return list(dict.fromkeys(PLACE.findall(template)))


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text with its places filled in, in one pass: what is filled in has no places.

    Examples
    --------
    >>> filled("{a}, {b}", {"a": "see {b}", "b": "2"})
    'see {b}, 2'
    """
    return PLACE.sub(lambda place: values[place[1]], template)
