"""Sorts what a verdict checked: what is worth a line of its own, and what passed without a word."""

from dataclasses import dataclass

from gremium.v1 import manifest_pb2


@dataclass(frozen=True, slots=True)
class Audit:
    """One verdict."""

    verdict: manifest_pb2.Verdict
    telling: tuple[manifest_pb2.Check, ...]
    """Checks that object, score or say what they saw."""
    passed: tuple[str, ...]
    """Names of the others that found nothing to object."""
    idle: tuple[str, ...]
    """Names of those that do not apply."""


def audits(manifest: manifest_pb2.Manifest) -> list[Audit]:
    return [_audit(verdict) for verdict in manifest.verdicts]


def _audit(verdict: manifest_pb2.Verdict) -> Audit:
    quiet = [check for check in verdict.checks if not _tells(check)]
    applies = [check for check in quiet if check.outcome == manifest_pb2.CHECK_OUTCOME_PASS]
    return Audit(
        verdict,
        telling=tuple(check for check in verdict.checks if _tells(check)),
        passed=tuple(check.name for check in applies),
        idle=tuple(check.name for check in quiet if check not in applies),
    )


def _tells(check: manifest_pb2.Check) -> bool:
    objects = check.outcome == manifest_pb2.CHECK_OUTCOME_FAIL
    return objects or check.HasField("score") or bool(check.evidence)
