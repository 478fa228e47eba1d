"""Labelled rows from what the ledger knows: what prompts were like, and what came of their answers.

A model's answer is as good as the newest feedback says, where that tells of it; else as the judge's
verdict on it says; else it has no label. Jurors who gave the same ballot share it. Of a cheaper model
that was asked in the shadow the comparison tells, where the answer given has a label.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gremium.v1 import manifest_pb2
from services.calibration.recorded import outcomes_of
from services.routing.features import FEATURE_VERSION, FEATURES, Words
from services.routing.rows import OutcomeLine, Rows, RowsError
from services.routing.shadowed import NONE, Shadows, shadow_outcome

VERDICTS: Final = {manifest_pb2.VERDICT_KIND_PASS: 1.0, manifest_pb2.VERDICT_KIND_FAIL: 0.0}
NO_WORDS: Final = Words(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))
"""The ledger keeps no words: they would tell the text."""
JURY: Final = manifest_pb2.STAGE_JURY

NOT_RECORDED: Final = "no features were recorded (`router.record`)"
OLD: Final = "its features are of another version"
STRANGE: Final = "its embedding is another one than the configured"
UNEMBEDDED: Final = "no embedding was recorded, while others have one"
UNLABELLED: Final = "nobody judged an answer"


@dataclass(frozen=True, slots=True, eq=False)
class Requested:
    """One request, as a row to learn from."""

    id: str
    key: str
    features: tuple[float, ...]
    vector: NDArray[np.float32] | None
    """Of unit length; None: not recorded."""
    domain: str
    outcomes: Mapping[str, OutcomeLine]
    """By model."""


@dataclass(frozen=True, slots=True, eq=False)
class FromLedger:
    """Rows, and what of the ledger is not among them."""

    rows: Rows
    left_out: Mapping[str, int]
    """Requests by reason."""
    has_vectors: bool


@dataclass(slots=True)
class _Sorted:
    kept: list[Requested] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def rows_of_ledger(
    manifests: Iterable[manifest_pb2.Manifest],
    *,
    embedding: str,
    ensembles: Iterable[str] = (),
    shadows: Shadows = NONE,
) -> FromLedger:
    """The rows that requests tell of.

    Parameters
    ----------
    manifests : iterable of Manifest
        Completed ones, each with its newest feedback.
    embedding : str
        The configured one, backend and model: vectors of others do not compare.
    ensembles : iterable of str
        Only of these; none: of all.
    shadows : mapping of str to ShadowRecord
        What cheaper tiers would have answered, by request.

    Raises
    ------
    RowsError
        If no request can be learned from; tells why of how many.
    """
    wanted, found = frozenset(ensembles), _Sorted()
    for manifest in manifests:
        if wanted and manifest.ensemble not in wanted:
            continue
        if why_not := _why_not(manifest, embedding):
            found.left_out[why_not] += 1
        elif outcomes := _outcomes(manifest, shadows):
            found.kept.append(_requested(manifest, outcomes))
        else:
            found.left_out[UNLABELLED] += 1
    has_vectors = any(each.vector is not None for each in found.kept)
    if has_vectors:
        whole = [each for each in found.kept if each.vector is not None]
        found.left_out[UNEMBEDDED] += len(found.kept) - len(whole)
        found.kept = whole
    left_out = {why: n for why, n in found.left_out.items() if n}
    if not found.kept:
        raise RowsError(f"the ledger has no request to learn from{_counted(left_out)}")
    return FromLedger(_rows(found.kept), left_out, has_vectors)


def _outcomes(manifest: manifest_pb2.Manifest, shadows: Shadows) -> dict[str, OutcomeLine]:
    """How each model did; one that was asked itself goes by that, not by its shadow."""
    found = outcomes_by_model(manifest)
    if record := shadows.get(manifest.request_id):
        told = shadow_outcome(record, quality_of_tier(manifest, record.tier_used))
        if told and told[0] not in found:
            found[told[0]] = told[1]
    return found


def _counted(left_out: Mapping[str, int]) -> str:
    told = "; ".join(f"of {n}: {why}" for why, n in sorted(left_out.items()))
    return f": {told}" if told else ": nothing was asked yet"


def _why_not(manifest: manifest_pb2.Manifest, embedding: str) -> str:
    """Why a request cannot be learned from; empty: it can, if it has labels."""
    features = manifest.route.features
    if not manifest.route.HasField("features"):
        return NOT_RECORDED
    if features.version != FEATURE_VERSION or len(features.values) != len(FEATURES):
        return OLD
    return STRANGE if features.vector and features.embedding != embedding else ""


def _requested(manifest: manifest_pb2.Manifest, outcomes: Mapping[str, OutcomeLine]) -> Requested:
    features = manifest.route.features
    return Requested(
        manifest.request_id,
        features.question_digest or f"id {manifest.request_id}",
        tuple(features.values),
        vector_of(features.vector),
        manifest.route.domain,
        outcomes,
    )


def vector_of(recorded: bytes) -> NDArray[np.float32] | None:
    """An embedding as it was, but for rounding; None without one.

    Examples
    --------
    >>> vector_of(bytes([0, 127])).tolist()
    [0.0, 1.0]
    """
    numbers = np.frombuffer(recorded, dtype=np.int8).astype(np.float32)
    size = float(np.linalg.norm(numbers))
    return numbers / np.float32(size) if size > 0.0 else None


def outcomes_by_model(manifest: manifest_pb2.Manifest) -> dict[str, OutcomeLine]:
    """How each model that was asked did; of several jurors of one model the mean.

    Empty where nobody was judged.
    """
    qualities = qualities_by_juror(manifest)
    found: dict[str, list[tuple[float, manifest_pb2.Participation]]] = {}
    for part in manifest.participations:
        if part.stage == JURY and (part.tier, part.name) in qualities:
            quality = qualities[part.tier, part.name]
            found.setdefault(part.model, []).append((quality, part))
    return {
        model: OutcomeLine(
            quality=float(np.mean([quality for quality, _ in each])),
            cost_usd=min(1e7, float(np.mean([part.cost_usd for _, part in each]))),
            output_tokens=min(1e7, float(np.mean([p.usage.output_tokens for _, p in each]))),
        )
        for model, each in found.items()
    }


def qualities_by_juror(manifest: manifest_pb2.Manifest) -> dict[tuple[str, str], float]:
    """By tier and juror: how good its answer was, in [0, 1], where somebody said."""
    found: dict[tuple[str, str], float] = {}
    for tier, jurors, quality in (*_by_verdicts(manifest), *_by_feedback(manifest)):
        found |= {(tier, juror): quality for juror in jurors}
    return found


def quality_of_tier(manifest: manifest_pb2.Manifest, tier: str) -> float | None:
    """How good the answer of a tier was, in [0, 1]; None: nobody said."""
    if manifest.feedback and manifest.chosen_tier == tier and manifest.chosen_juror:
        return manifest.feedback[-1].score
    told = (verdict_quality(verdict) for verdict in manifest.verdicts if verdict.tier == tier)
    return next((quality for quality in told if quality is not None), None)


def _by_verdicts(
    manifest: manifest_pb2.Manifest,
) -> list[tuple[str, frozenset[str], float]]:
    return [
        (verdict.tier, _alike(manifest, verdict.tier, verdict.juror), quality)
        for verdict in manifest.verdicts
        if (quality := verdict_quality(verdict)) is not None
    ]


def verdict_quality(verdict: manifest_pb2.Verdict) -> float | None:
    """How good an answer is in the judge's view, in [0, 1]; None: it was not judged."""
    if verdict.kind not in VERDICTS:
        return None
    return verdict.p_ok.value if verdict.p_ok.calibrated else VERDICTS[verdict.kind]


def _by_feedback(
    manifest: manifest_pb2.Manifest,
) -> list[tuple[str, frozenset[str], float]]:
    """What it says of the answer given, and by the ballots of all others."""
    if not manifest.feedback:
        return []
    told = [
        (outcome.tier or manifest.chosen_tier, frozenset({juror}), float(right))
        for outcome in outcomes_of(manifest)
        for juror, right in (outcome.right or {}).items()
    ]
    if manifest.chosen_juror:
        given = _alike(manifest, manifest.chosen_tier, manifest.chosen_juror)
        told.append((manifest.chosen_tier, given, manifest.feedback[-1].score))
    if juror := (said := manifest.feedback[-1]).preferred_juror:
        told.append((said.preferred_tier, _alike(manifest, said.preferred_tier, juror), 1.0))
    return told


def _alike(manifest: manifest_pb2.Manifest, tier: str, juror: str) -> frozenset[str]:
    """A juror and those of its tier who gave the same ballot; prose has none."""
    for tally in manifest.tallies:
        keys = {ballot.juror: ballot.key for ballot in tally.ballots if ballot.key}
        if tally.tier == tier and not tally.HasField("similarity") and juror in keys:
            return frozenset(other for other, key in keys.items() if key == keys[juror])
    return frozenset({juror})


def _rows(kept: list[Requested]) -> Rows:
    models = sorted({model for each in kept for model in each.outcomes})
    told = [[each.outcomes.get(model, OutcomeLine()) for model in models] for each in kept]
    dim = next((each.vector.size for each in kept if each.vector is not None), 0)
    nothing = np.zeros(dim, dtype=np.float32)

    def table(name: str) -> NDArray[np.float64]:
        values = [[getattr(outcome, name) for outcome in row] for row in told]
        return np.array([[np.nan if v is None else v for v in row] for row in values])

    vectors = [nothing if each.vector is None else each.vector for each in kept]
    return Rows(
        models=tuple(models),
        ids=tuple(each.id for each in kept),
        texts=("",) * len(kept),
        keys=tuple(each.key for each in kept),
        vectors=np.array(vectors, dtype=np.float32).reshape(len(kept), dim),
        features=np.array([each.features for each in kept], dtype=np.float64),
        words=(NO_WORDS,) * len(kept),
        labels=table("quality"),
        costs_usd=table("cost_usd"),
        output_tokens=table("output_tokens"),
        domains=tuple(each.domain for each in kept),
    )
