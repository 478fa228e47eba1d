"""Tells the person at the terminal what the mesh does; everything goes to stderr."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from services.cli.child import Child


class Progress:
    """One line per event; a spinner while something is awaited, on a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def starting(self, names: Sequence[str]) -> Iterator[None]:
        with self._console.status(f"starting {', '.join(names)} …"):
            yield

    def serving(self, name: str, address: str, seconds: float) -> None:
        self.say(f"  {name:<14} SERVING  {address:<21} {seconds:4.1f} s")

    def died(self, child: Child, code: int, delay_s: float) -> None:
        self.say(
            f"{child.process.label} ended with exit code {code}; starting it again in {delay_s:g} s;"
            f" its log: {child.log}"
        )
