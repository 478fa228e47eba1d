"""Finds secrets that stand in a configuration. It never repeats one."""

import re
from collections.abc import Iterator
from typing import Any, Final

from services.config.document import Loc

SECRET_KEY: Final = re.compile(
    r"(?i)^(x[-_]?)?(api[-_]?key|apikey|key|(access|auth|api|bearer)[-_]?token|token|secret|"
    r"(client|api)[-_]?secret|password|passwd|authorization|bearer|credentials?)$"
)
SECRET_VALUE: Final = re.compile(
    r"^(Bearer\s+\S{8,}"
    r"|(sk-|gsk_|xai-|hf_|ghp_|github_pat_|glpat-|nvapi-|r8_|pplx-)[A-Za-z0-9_-]{16,}"
    r"|AKIA[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{20,}"
    r"|[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@\S+)$"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
FILES: Final = frozenset({("ledger", "key")})
"""Where a key is named by its file."""
HINT: Final = (
    "looks like a secret; take it out of the file, put it in an environment variable"
    " and name that variable in `api_key_env`"
)


def inline_secrets(data: Any, loc: Loc = ()) -> Iterator[Loc]:
    """Where a key or a value looks like a secret."""
    if isinstance(data, dict):
        for key, value in data.items():
            place = (*loc, key)
            named = SECRET_KEY.match(str(key)) and place not in FILES
            if isinstance(value, str) and value and named:
                yield place
            else:
                yield from inline_secrets(value, place)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from inline_secrets(value, (*loc, index))
    elif isinstance(data, str) and SECRET_VALUE.match(data):
        yield loc
