"""Labelled outcomes from what the ledger knows: recorded ballots, and what was said of the answer."""

import json
from collections.abc import Iterator
from typing import Any, Final

from gremium.v1 import manifest_pb2
from services.calibration.labels import labelled
from services.calibration.outcomes import Outcome
from services.core.abstention import declined
from services.core.canonical import NO_CALL, ballot, number_of
from services.core.closeness import close_groups
from services.core.equality import canonical_key, fold
from services.core.prompts import OutputFormat
from services.core.visible import visible_text

GOOD: Final = 0.5
"""Score of a feedback from which on the answer counts as right."""
NONE_RIGHT: Final = "none"
"""A class that no ballot has: all are wrong."""


def outcomes_of(manifest: manifest_pb2.Manifest) -> Iterator[Outcome]:
    """The votes of a request, labelled by its newest feedback.

    Good feedback says that the answer given is right, `preferred_juror` whose is,
    and `expected` what would have been. Prose is left out: it is not counted by
    ballots.
    """
    if not manifest.feedback:
        return
    for tally in manifest.tallies:
        if _is_counted(tally) and _makes_the_answer(manifest, tally):
            yield _outcome(manifest, tally)


def _is_counted(tally: manifest_pb2.Tally) -> bool:
    return not tally.HasField("similarity") and any(vote.key for vote in tally.ballots)


def _makes_the_answer(manifest: manifest_pb2.Manifest, tally: manifest_pb2.Tally) -> bool:
    """Feedback is on the whole answer: of specialists it labels the step that gave it."""
    return manifest.pattern != "specialists" or tally.tier == manifest.chosen_step


def _outcome(manifest: manifest_pb2.Manifest, tally: manifest_pb2.Tally) -> Outcome:
    keys = _heard(manifest, tally)
    said = manifest.feedback[-1]
    given = given_class(manifest)
    if best := key_of(manifest, said.preferred_tier, said.preferred_juror):
        right = labelled(keys, {}, best)
    elif given and said.score >= GOOD:
        right = labelled(keys, {}, given)
    elif expected := _expected(tally, said.expected):
        right = labelled(keys, {}, expected)
    else:
        wrong = {juror: False for juror, key in keys.items() if key == given}
        right = labelled(keys, wrong, None)
    verdict = _verdict(manifest, tally)
    return Outcome(
        id=manifest.request_id,
        ensemble=manifest.ensemble,
        tier="" if manifest.pattern == "jury" else tally.tier,
        keys=keys,
        right=right,
        abstain_key=NO_CALL.key,
        decline_key="" if tally.abstain_key == NO_CALL.key else tally.abstain_key,
        audited=verdict.juror if verdict else "",
        signals=_signals(verdict, tally) if verdict else {},
    )


def _heard(manifest: manifest_pb2.Manifest, tally: manifest_pb2.Tally) -> dict[str, str]:
    """By juror: the class of its ballot; empty where it answered what is none.

    Who was cut off, skipped, late or failed is left out: what it would have said
    is unknown.
    """
    unusable = {
        asked.name: ""
        for asked in manifest.participations
        if asked.stage == manifest_pb2.STAGE_JURY
        and asked.tier == tally.tier
        and asked.status == manifest_pb2.PARTICIPATION_STATUS_UNUSABLE
    }
    return unusable | {vote.juror: vote.key for vote in tally.ballots}


def given_class(manifest: manifest_pb2.Manifest) -> str:
    """Class of the answer that was given; empty without one."""
    tier = manifest.chosen_step or manifest.chosen_tier
    return key_of(manifest, tier, manifest.chosen_juror)


def key_of(manifest: manifest_pb2.Manifest, tier: str, juror: str) -> str:
    """Class of what a juror of a tier, or of a step, said; empty where it has none."""
    votes = (vote for tally in manifest.tallies if tally.tier == tier for vote in tally.ballots)
    return next((vote.key for vote in votes if vote.juror == juror), "")


def is_wordless(manifest: manifest_pb2.Manifest) -> bool:
    """Whether feedback says what was expected, and the votes no longer what they were for.

    The ledger keeps no words of them (`ledger.texts`), or not all.
    """
    if not manifest.feedback or not (text := manifest.feedback[-1].expected):
        return False
    counted = [tally for tally in manifest.tallies if _is_counted(tally)]
    return any(not _expected(tally, text) for tally in counted)


def _expected(tally: manifest_pb2.Tally, text: str) -> str:
    """The class that says what was expected; empty if nothing was, or one without words might."""
    if not text:
        return ""
    keys = {ballot(text, (), output_format=OutputFormat("json"), tools=()).key}
    same = (found.key for found in tally.classes if found.key in keys or _says(found.value, text))
    return next(same, NONE_RIGHT if all(map(_is_whole, tally.classes)) else "")


def _is_whole(found: manifest_pb2.TallyClass) -> bool:
    """Whether a class still has the ballot that its key is the digest of."""
    return canonical_key(found.value) == found.key


def _says(value_json: str, text: str) -> bool:
    """Whether a canonical ballot says what a person wrote."""
    try:
        value: Any = json.loads(value_json)
    except ValueError:  # it was cut for its length
        return False
    if value is None:
        return bool(declined(visible_text(text)))
    if isinstance(value, str):
        return fold(value) == fold(visible_text(text))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _says_number(value, text)
    return ballot(text, (), output_format=OutputFormat("json"), tools=()).value == value_json


def _says_number(value: float, text: str) -> bool:
    how = OutputFormat("number")
    meant = number_of(ballot(text, (), output_format=how, tools=()))
    if meant is None:
        return False
    one, other = close_groups([value, meant], relative_tolerance=how.relative_tolerance)
    return one == other


def _verdict(
    manifest: manifest_pb2.Manifest, tally: manifest_pb2.Tally
) -> manifest_pb2.Verdict | None:
    """What was found of an answer of this vote, by a judge model or by what a calibration weighs.

    Where neither decided there is no verdict to learn from, whatever signals there were.
    """
    jurors = {vote.juror for vote in tally.ballots}
    found = (v for v in manifest.verdicts if v.tier == tally.tier and v.juror in jurors)
    return next((v for v in found if v.HasField("score") or v.HasField("promise")), None)


def _signals(verdict: manifest_pb2.Verdict, tally: manifest_pb2.Tally) -> dict[str, float]:
    """The signals as recorded; where older manifests have none, what the judge and the vote say."""
    if verdict.signals:
        return {signal.name: signal.value for signal in verdict.signals}
    passed = verdict.kind == manifest_pb2.VERDICT_KIND_PASS
    told = {"judge": verdict.score if passed else 0.0}
    key = next(vote.key for vote in tally.ballots if vote.juror == verdict.juror)
    for found in tally.classes:
        if found.key == key:
            fitted = found.HasField("p_correct")
            told["support"] = found.p_correct.value if fitted else found.share
    return told
