"""How a command that failed tells why: a line for people, and an object for programs."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

import click

from services.cli.errors import ERROR, MeshError
from services.config.problems import ConfigError
from services.core.errors import GremiumError

FORESEEN: Final = (click.ClickException, GremiumError, MeshError, ConfigError, OSError)
"""What is told without a traceback."""
Foreseen = click.ClickException | GremiumError | MeshError | ConfigError | OSError


def tell(err: Foreseen, arguments: Sequence[str]) -> int:
    """Say what went wrong; with `--json` among the arguments, to a program too."""
    if wants_json(arguments):
        with suppress(OSError):  # it may be that nothing can be written there
            click.echo(json.dumps({"error": as_json(err)}, ensure_ascii=False))
    if isinstance(err, click.ClickException):
        err.show()
    else:
        reason = f" [{err.reason}]" if isinstance(err, GremiumError) else ""
        click.echo(f"error: {text_of(err)}{reason}", err=True)
    return ERROR  # click's own 2 for wrong usage means no consensus here


def as_json(err: Foreseen) -> dict[str, str]:
    """Reason and message.

    Examples
    --------
    >>> as_json(MeshError("no mesh serves here"))
    {'reason': 'NO_MESH', 'message': 'no mesh serves here'}
    """
    return {"reason": reason_of(err), "message": text_of(err)}


def reason_of(err: Foreseen) -> str:
    """Why it failed, UPPER_SNAKE."""
    match err:
        case GremiumError():
            return err.reason
        case click.UsageError():
            return "WRONG_USAGE"
        case MeshError():
            return "NO_MESH"
        case ConfigError():
            return "WRONG_CONFIG"
        case OSError():
            return "SYSTEM"
        case _:
            return "FAILED"


def text_of(err: Foreseen) -> str:
    """What went wrong, and with which file.

    Examples
    --------
    >>> text_of(PermissionError(13, "Permission denied", "/mnt/.gremium"))
    '/mnt/.gremium: permission denied'
    """
    match err:
        case click.ClickException():
            return err.format_message()
        case OSError(strerror=str(why), filename=path):
            return ": ".join(map(str, filter(None, [path, f"{why[:1].lower()}{why[1:]}"])))
        case _:
            return str(err)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a program reads the output.

    Examples
    --------
    >>> wants_json(["ask", "--json", "Why?"]), wants_json(["ask", "--", "--json"])
    (True, False)
    """
    return "--json" in _options(arguments)


def not_utf8(arguments: Sequence[str], err: UnicodeEncodeError) -> click.ClickException:
    """What to say when a text cannot be sent to a service or written to a file."""
    wrong = next(filter(_is_broken, arguments), None)
    if wrong is None:
        return click.ClickException(str(err))
    return click.UsageError(f"{wrong!a} is not UTF-8")


def _options(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments up to `--`."""
    for each in arguments:
        if each == "--":
            return
        yield each


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
