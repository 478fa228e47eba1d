"""Advice as one change of a configuration's text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.report.advice import Advice
from services.report.edits import EditError, edited, unified_diff


@dataclass(frozen=True, slots=True)
class Recommended:
    """A change of the configuration."""

    diff: str
    """As `patch` takes it; empty: there is nothing to change."""
    left: tuple[str, ...]
    """What of the advice is not in it though it could be, each with why."""


def recommended(text: str, advice: Sequence[Advice], *, name: str) -> Recommended:
    """All advice that can be followed by changing what stands in the file, as one diff.

    What would leave no valid configuration, or change another ensemble, is left out.
    """
    after, left = text, []
    for each in advice:
        if not each.edits:
            continue
        try:
            after = edited(after, each.edits)
        except EditError as err:
            left.append(f"{each.code} of {each.ensemble}: {err}")
    return Recommended(unified_diff(text, after, path=name), tuple(left))
