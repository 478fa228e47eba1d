"""What a report needs of each request: a few numbers and keys of a manifest, never its texts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Final

from gremium.v1 import manifest_pb2
from services.calibration.recorded import GOOD, outcomes_of
from services.routing.recorded import quality_of_tier
from services.runtime.wire import duration_from_wire

JURY: Final = "jury"
TIERED: Final = frozenset({"route", "cascade"})
"""Patterns that choose between tiers."""
LOST: Final = frozenset(
    {
        manifest_pb2.PARTICIPATION_STATUS_FAILED,
        manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT,
    }
)
"""How a juror ends who was asked, waited for, and gave nothing."""
EQUAL: Final = 1e-9
"""Weights that differ less are the same."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What the jurors of one tier said to one prompt."""

    tier: str
    """Empty in the pattern `jury`, which has but one."""
    keys: Mapping[str, str]
    """By juror that was heard: the class of its ballot; empty: its answer was none."""
    lost: frozenset[str]
    """Jurors that were waited for in vain."""
    given: str
    """Class that the vote came to; empty without consensus."""
    divergence: float
    usd: Mapping[str, float]
    """What each juror that was asked cost."""
    right: Mapping[str, bool] | None
    """By juror, where feedback tells."""
    prose: bool
    """Whether answers were compared by meaning, so that there are no ballots."""
    plain: bool = True
    """Whether each ballot counted the same, whoever is stronger."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """By class: what its ballots counted together; empty where each counted one."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a judge said of one answer."""

    passed: bool | None
    """None: it is unjudged."""
    reason: str
    """Why it is, UPPER_SNAKE."""
    kin: bool | None
    """Whether the judge model is of the author's family; None: no model was asked, or unknown."""
    good: bool | None
    """What feedback says of it, where it was given to the caller; None: nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request that has ended."""

    request_id: str
    ensemble: str
    pattern: str
    outcome: str
    """`ANSWERED`, `NO_CONSENSUS`, `REJECTED`, or the reason of the error that it ended in."""
    degraded: bool
    unjudged: bool
    usd: float
    duration_s: float
    start_s: float
    """Seconds since 1970."""
    tiers: tuple[str, ...]
    """Tiers that were asked, in order."""
    tier_usd: Mapping[str, float]
    """What each of them cost."""
    in_vain_usd: float
    """What those cost that were not enough."""
    adequacy: Mapping[str, float]
    """What was predicted of each tier, where it was."""
    good: bool | None
    """What feedback says of the answer; None: nothing."""
    votes: tuple[Vote, ...]
    audits: tuple[Audit, ...]
    stood: int = 0
    """Answers that a judge compared with others, in both orders."""
    inconsistent: int = 0
    """Of those, whose comparisons changed with the order."""
    domain: str = ""
    """What the prompt is about, as it was routed; empty: unknown."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """By tier: input tokens of the juror that counts the most of them, where they are known."""
    quality: float | None = None
    """How good the answer given is, in [0, 1], by feedback, else by the judge; None: nobody said."""


def request_of(manifest: manifest_pb2.Manifest) -> Request:
    """The row of a manifest that has ended, with its newest feedback if there is any."""
    standings = [s for tally in manifest.tallies for s in tally.standings if s.comparisons]
    usd = _tier_usd(manifest)
    return Request(
        request_id=manifest.request_id,
        ensemble=manifest.ensemble,
        pattern=manifest.pattern,
        outcome=_outcome(manifest),
        degraded=manifest.degraded,
        unjudged=manifest.unjudged,
        usd=manifest.cost_usd,
        duration_s=duration_from_wire(manifest.duration),
        start_s=manifest.start_time.ToNanoseconds() / 1e9,
        tiers=_asked(manifest),
        tier_usd=usd,
        in_vain_usd=sum(usd.get(each.from_tier, 0.0) for each in manifest.escalations),
        adequacy=_adequacy(manifest),
        good=_good(manifest),
        votes=tuple(_votes(manifest)),
        audits=tuple(_audit(manifest, verdict) for verdict in manifest.verdicts),
        stood=len(standings),
        inconsistent=sum(each.position_inconsistent for each in standings),
        domain=intern(manifest.route.learned_domain or manifest.route.domain),
        tokens=tokens_of(manifest.participations),
        quality=_quality(manifest),
    )


def _outcome(manifest: manifest_pb2.Manifest) -> str:
    if manifest.HasField("error"):
        return manifest.error.reason or "FAILED"
    return manifest_pb2.Outcome.Name(manifest.outcome).removeprefix("OUTCOME_")


def _asked(manifest: manifest_pb2.Manifest) -> tuple[str, ...]:
    """Tiers in the order in which they were asked; of a graph, none: its steps are no tiers."""
    if manifest.pattern == "specialists":
        return ()
    left = [each.from_tier for each in manifest.escalations]
    last = manifest.escalations[-1].to_tier if left else ""
    first = manifest.route.tiers[0].name if manifest.route.tiers else ""
    return tuple(dict.fromkeys([*left, last] if left else [manifest.chosen_tier or first]))


def _adequacy(manifest: manifest_pb2.Manifest) -> dict[str, float]:
    """Of tiers; the candidates of a jury are its jurors."""
    rated = manifest.route.candidates if manifest.pattern in TIERED else ()
    return {intern(each.name): each.adequacy.value for each in rated if each.HasField("adequacy")}


def _tier_usd(manifest: manifest_pb2.Manifest) -> dict[str, float]:
    spent: dict[str, float] = {}
    for each in manifest.participations:
        if each.tier:
            tier = intern(each.tier)
            spent[tier] = spent.get(tier, 0.0) + each.cost_usd
    return spent


def tokens_of(participations: Iterable[manifest_pb2.Participation]) -> dict[str, int]:
    """By tier: input tokens of the juror that counts the most of them, where they are known."""
    found: dict[str, int] = {}
    for each in participations:
        if each.stage == manifest_pb2.STAGE_JURY and each.usage.input_tokens:
            tier = intern(each.tier)
            found[tier] = max(found.get(tier, 0), each.usage.input_tokens)
    return found


def _quality(manifest: manifest_pb2.Manifest) -> float | None:
    if manifest.outcome != manifest_pb2.OUTCOME_ANSWERED:
        return None
    return quality_of_tier(manifest, manifest.chosen_tier)


def _good(manifest: manifest_pb2.Manifest) -> bool | None:
    """What the newest feedback says of an answer that was given."""
    if not manifest.feedback or manifest.outcome != manifest_pb2.OUTCOME_ANSWERED:
        return None
    return manifest.feedback[-1].score >= GOOD


def _votes(manifest: manifest_pb2.Manifest) -> Iterator[Vote]:
    alone = manifest.pattern == JURY
    right = {outcome.tier: _named(outcome.right) for outcome in outcomes_of(manifest)}
    for tally in manifest.tallies:
        jurors = [
            each
            for each in manifest.participations
            if each.stage == manifest_pb2.STAGE_JURY and each.tier == tally.tier
        ]
        tier = "" if alone else tally.tier
        yield Vote(
            tier=tier,
            keys=_keys(tally, jurors),
            lost=frozenset(intern(each.name) for each in jurors if each.status in LOST),
            given=tally.leader if tally.consensus else "",
            divergence=tally.divergence,
            usd={intern(each.name): each.cost_usd for each in jurors},
            right=right.get(tier),
            prose=tally.HasField("similarity"),
            plain=tally.method == "plurality" and "gate" not in tally.fallback_trail,
            weights=_weights(tally),
        )


def _named(right: Mapping[str, bool] | None) -> dict[str, bool] | None:
    return None if right is None else {intern(name): is_so for name, is_so in right.items()}


def _weights(tally: manifest_pb2.Tally) -> dict[str, float]:
    """What classes weigh, unless each ballot counts one."""
    if all(abs(each.weight - len(each.jurors)) <= EQUAL for each in tally.classes):
        return {}
    return {each.key: each.weight for each in tally.classes}


def _keys(tally: manifest_pb2.Tally, jurors: list[manifest_pb2.Participation]) -> dict[str, str]:
    """Ballots by juror, and nothing of those whose answers were none."""
    unusable = manifest_pb2.PARTICIPATION_STATUS_UNUSABLE
    none = {each.name: "" for each in jurors if each.status == unusable}
    return none | {intern(ballot.juror): intern(ballot.key) for ballot in tally.ballots}


def _audit(manifest: manifest_pb2.Manifest, verdict: manifest_pb2.Verdict) -> Audit:
    kinds = {
        manifest_pb2.VERDICT_KIND_PASS: True,
        manifest_pb2.VERDICT_KIND_FAIL: False,
    }
    was_given = verdict.juror == manifest.chosen_juror and verdict.tier in {
        manifest.chosen_tier,
        manifest.chosen_step,
        "merge",
    }
    return Audit(
        passed=kinds.get(verdict.kind),
        reason=verdict.unjudged_reason,
        kin=_is_kin(manifest, verdict),
        good=_good(manifest) if was_given else None,
    )


def _is_kin(manifest: manifest_pb2.Manifest, verdict: manifest_pb2.Verdict) -> bool | None:
    """Whether judge and author were trained as the same; a synthesis is of all its families."""
    parts = manifest.participations
    judge = {
        each.family
        for each in parts
        if each.stage == manifest_pb2.STAGE_JUDGE and each.model == verdict.judge
    }
    author = {
        each.family
        for each in parts
        if each.stage in {manifest_pb2.STAGE_JURY, manifest_pb2.STAGE_SYNTHESIS}
        and each.name == verdict.juror
        and each.tier in {verdict.tier, ""}
    }
    if not (verdict.judge and judge and author):
        return None
    return not _plain(judge).isdisjoint(_plain(author))


def _plain(families: set[str]) -> set[str]:
    return {family.strip().casefold() for family in families}
