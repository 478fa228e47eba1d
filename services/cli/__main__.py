"""Starts the `gremium` command."""

import sys

from services.cli.loading import unheard


def main() -> None:
    """Run the command that was typed, and exit as it says."""
    with unheard():
        from services.cli.command import run  # noqa: PLC0415 - takes a while
    sys.exit(run())


if __name__ == "__main__":
    main()
