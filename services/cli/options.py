"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

config_option: Decorator = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration to use instead of ./gremium.yaml.",
)
address_option: Decorator = click.option(
    "--address",
    envvar="GREMIUM_ADDRESS",
    metavar="HOST:PORT",
    help="Gateway to call instead of the mesh that runs in this folder.",
)


def json_option(text: str) -> Decorator:
    return click.option("--json", "as_json", is_flag=True, help=text)


def timeout_option(default_s: float) -> Decorator:
    return click.option(
        "--timeout",
        "timeout_s",
        type=click.FloatRange(min=0, min_open=True, max=3600),
        default=default_s,
        show_default=True,
        help="Seconds to wait.",
    )
