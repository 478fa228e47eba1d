"""Which ledger a command is about, and whose keys it believes."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from services.config.choose import choose
from services.config.tree import LoadedConfig
from services.ledger.signing import Signer, Verifier, signer_of, verifier_of

ledger_argument = click.argument(
    "ledger", required=False, type=click.Path(path_type=Path, dir_okay=False)
)
key_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Public key to believe, as a PEM file; repeatable. Unset: the configured one.",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A ledger's file, and the configured key that signs it."""

    path: Path
    key: Path | None
    """File of the private key; None: nobody signs, or a file was named and no configuration."""
    loaded: LoadedConfig | None

    def signer(self) -> Signer | None:
        return signer_of(self.key) if self.key else None

    @property
    def keys(self) -> list[Path]:
        """The configured key, if there is one."""
        return [self.key] if self.key else []

    def verifiers(self, keys: Sequence[Path]) -> list[Verifier]:
        """Those of the given keys; without any, of the configured one."""
        return [verifier_of(key) for key in keys or self.keys]


def place_of(ledger: Path | None, config: Path | None) -> Place:
    """The named file, else that of the configuration.

    Raises
    ------
    ConfigError
        If the configuration is missing or wrong.
    """
    if ledger is not None and config is None:
        return Place(ledger, None, None)
    loaded = configuration(config)
    told = loaded.config.ledger
    key = loaded.resolve(told.key) if told.key else None
    return Place(ledger or loaded.resolve(told.path), key, loaded)


def configuration(config: Path | None) -> LoadedConfig:
    return choose(config, directory=Path.cwd(), env=os.environ).loaded
