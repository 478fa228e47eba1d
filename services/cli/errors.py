"""What the command tells its user instead of a traceback, and the codes that it exits with."""

from typing import Final

ERROR: Final = 1
INTERRUPTED: Final = 130
"""It was stopped by a signal."""


class MeshError(Exception):
    """A mesh cannot run or cannot be found. Its message says what to do or where to look."""
