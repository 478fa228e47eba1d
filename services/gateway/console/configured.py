"""The page of the configuration: what the gateway goes by, and what the lint says. No secrets."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import yaml
from starlette.requests import Request
from starlette.responses import Response

from services.config.lint import lint
from services.config.secrets import SECRET_KEY
from services.config.tree import LoadedConfig
from services.gateway.console.desk import desk_of
from services.gateway.console.reading import Reading
from services.routing.configured import is_learned

HIDDEN: Final = "(hidden)"
SECRET: Final = re.compile(
    r"(?i)(bearer\s+\S{8,}|\b(sk|gsk|xai|hf|ghp|github_pat|glpat|nvapi|r8|pplx)[-_][A-Za-z0-9_-]{16,}"
    r"|AKIA[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{20,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|(?<=[?&])(key|token|api[-_]?key|access[-_]?token|secret|password|sig(nature)?)=[^&\s]+)"
)
"""What looks like a secret wherever it stands in a value."""


async def config(request: Request) -> Response:
    """`GET /config`."""
    desk = desk_of(request)
    return await desk.page("config.html", partial(_told, desk.loaded))


def _told(loaded: LoadedConfig, ledger: Reading) -> Mapping[str, object]:
    del ledger
    return {
        "findings": lint(loaded.config, learned=is_learned(loaded)),
        "path": str(loaded.path),
        "sha256": loaded.sha256,
        "ensembles": loaded.config.ensembles,
        "default": loaded.config.default,
        "text": shown(loaded),
    }


def shown(loaded: LoadedConfig) -> str:
    """The configuration as the gateway took it, as YAML without comments and secrets."""
    said = loaded.config.model_dump(mode="json", exclude_unset=True)
    return yaml.safe_dump(without_secrets(said), sort_keys=False, allow_unicode=True, width=100)


def without_secrets(said: Any) -> Any:
    """The same with everything hidden that looks like a secret, by its name or by itself."""
    if isinstance(said, dict):
        return {
            key: HIDDEN
            if isinstance(value, str) and value and SECRET_KEY.match(str(key))
            else without_secrets(value)
            for key, value in said.items()
        }
    if isinstance(said, list):
        return [without_secrets(each) for each in said]
    return SECRET.sub(HIDDEN, said) if isinstance(said, str) else said
