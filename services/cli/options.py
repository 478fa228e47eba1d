"""Options that several commands share."""

import os
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any, Final

import click

from services.cli.errors import MeshError
from services.cli.ports import split

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Amount(click.FloatRange):
    """A number of a range; `nan` and `inf` are none, whatever the range."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value!r} is no finite number", param, ctx)
        return number


class Address(click.ParamType[str]):
    """`host:port` of a gateway."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            split(str(value))
        except MeshError as err:
            self.fail(str(err), param, ctx)
        return str(value)


class OutFile(click.Path):
    """A file to write, in a folder that is there: found out before the work, not after it."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, allow_dash=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            self.fail(f"nothing can be written to the folder {path.parent}", param, ctx)
        return path


OUT_FILE: Final = OutFile()
SECONDS: Final = Amount(min=0, min_open=True, max=3600)
DOLLARS: Final = Amount(min=0)
schema_option: Decorator = click.option(
    "--schema",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with a JSON Schema that the answer keeps.",
)
config_option: Decorator = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration to use instead of ./gremium.yaml.",
)
address_option: Decorator = click.option(
    "--address",
    type=Address(),
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
        type=SECONDS,
        default=default_s,
        show_default=True,
        help="Seconds to wait.",
    )
