"""What all who tell a probability share."""

from typing import Final

MIN_LABELS: Final = 50
"""Labelled outcomes below which a number is a guess, and said to be one."""
