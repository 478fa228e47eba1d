"""Why a text holds no vote."""


class UnreadableError(ValueError):
    """A text cannot be read as what was asked for. Its message is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """UPPER_SNAKE: NOT_JSON, TOO_DEEP, SCHEMA_INVALID, UNKNOWN_TOOL, …"""
