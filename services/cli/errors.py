"""What the command tells its user instead of a traceback."""


class MeshError(Exception):
    """A mesh cannot run or cannot be found. Its message says what to do or where to look."""
