"""Says in plain words what a manifest means. Pure: messages in, sentences out."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.manifest_pb2 import (
    CHECK_OUTCOME_FAIL,
    OUTCOME_ANSWERED,
    OUTCOME_NO_CONSENSUS,
    OUTCOME_REJECTED,
    PARTICIPATION_STATUS_ANSWERED,
    PARTICIPATION_STATUS_UNSPECIFIED,
    VERDICT_KIND_FAIL,
    VERDICT_KIND_UNJUDGED,
    Escalation,
    JuryStop,
    Manifest,
    Outcome,
    Participation,
    ParticipationStatus,
    Stage,
    StepRecord,
    Tally,
    Verdict,
    VerdictKind,
)
from gremium.v1.types_pb2 import Answer
from services.cli.words import counted
from services.runtime.wire import duration_from_wire

LONGEST_VALUE: Final = 80
SPECIALISTS: Final = "specialists"
"""The pattern whose manifests name steps where those of others name tiers."""
EARLY: Final = frozenset({"DECIDED", "QUORUM", "QUORUM_IMPOSSIBLE"})
"""Why a jury stops that has not heard everyone, though there was time."""
SYNTHESIS: Final = "synthesis_"
"""What the reasons begin with for which there is none."""
VERDICT_WORDS: Final = {VERDICT_KIND_FAIL: "failed", VERDICT_KIND_UNJUDGED: "unjudged"}


def outcome_name(outcome: Outcome.ValueType) -> str:
    """`ANSWERED`, `NO_CONSENSUS` or `REJECTED`; `UNSPECIFIED` before the end or in an error."""
    return Outcome.Name(outcome).removeprefix("OUTCOME_")


def stage_name(stage: Stage.ValueType) -> str:
    return Stage.Name(stage).removeprefix("STAGE_").lower()


def ending(participation: Participation) -> str:
    """How a participant ended, with the reason where there is one; of one who has not, that."""
    if participation.status == PARTICIPATION_STATUS_UNSPECIFIED:
        return "not ended"
    status = ParticipationStatus.Name(participation.status)
    status = status.removeprefix("PARTICIPATION_STATUS_")
    word = status.lower().replace("_", " ")
    return word if participation.reason in {"", status} else f"{word}: {participation.reason}"


def model_name(participation: Participation) -> str:
    """Model as requested, and as served where that differs."""
    requested, served = participation.requested_model, participation.served_model
    return f"{requested} as {served}" if served and served != requested else requested


def labelled(step: str, name: str) -> str:
    """A participant after its step; a model that does a step alone is called as the step."""
    return step if name in {"", step.rpartition("/")[2]} and step else of_step(step, name)


def of_step(step: str, text: str) -> str:
    return f"{step}: {text}" if step else text


def step_of(manifest: Manifest, told: Participation | Tally | Verdict) -> str:
    """Name of the step that it was part of; empty where the ensemble is no graph of steps."""
    return told.tier if manifest.pattern == SPECIALISTS else ""


def explanation(reply: AskResponse) -> list[str]:
    """What the outcome means, in sentences; nothing for a plain answer."""
    manifest = reply.manifest
    if reply.outcome == OUTCOME_NO_CONSENSUS:
        return [
            "The jurors disagree too much to answer.",
            *_last(tally.reason_text for tally in manifest.tallies),
            *(line for tally in manifest.tallies[-1:] for line in _votes(tally)),
        ]
    if reply.outcome == OUTCOME_REJECTED and reply.unjudged:
        return ["Nobody judged the answer, and this ensemble gives none without a verdict."]
    if reply.outcome == OUTCOME_REJECTED:
        return [
            "The judge failed the answer"
            + ("; it is given all the same." if _text(reply) else "."),
            *_last(verdict.reason_text for verdict in manifest.verdicts),
            *(line for verdict in manifest.verdicts[-1:] for line in _objections(verdict)),
        ]
    return []


def story(manifest: Manifest) -> list[str]:
    """How it was routed, counted and judged: one line each, after its step where there are any."""
    return [
        *_route(manifest),
        *_plan(manifest),
        *(
            f"stop     {of_step(s.tier, _stopped(s))}"
            for s in manifest.jury_stops
            if s.reason in EARLY
        ),
        *(f"tally    {of_step(step_of(manifest, t), _counted(t))}" for t in manifest.tallies),
        *(f"next     {of_step(e.step, _escalated(e))}" for e in manifest.escalations),
        *(f"verdict  {of_step(step_of(manifest, v), _judged(v))}" for v in manifest.verdicts),
        *(f"passage  [{passage.id}] {passage.source}" for passage in manifest.passages),
    ]


def _plan(manifest: Manifest) -> Iterator[str]:
    """How the task was cut, and how each step went."""
    if manifest.HasField("plan"):
        yield f"plan     {manifest.plan.reason_text}"
    for step in manifest.steps:
        yield f"step     {step.id}: {', '.join(_step(step))}"


def _step(step: StepRecord) -> Iterator[str]:
    status = ParticipationStatus.Name(step.status).removeprefix("PARTICIPATION_STATUS_")
    yield f"{status.lower()} in {duration_from_wire(step.duration):.2f} s"
    if step.depends_on:
        yield f"after {' and '.join(step.depends_on)}"
    if step.model_calls:
        yield f"{counted(step.model_calls, 'call')}, {usd(step.cost_usd)}"
    if step.same_as:
        yield f"the output of {step.same_as}"
    if step.recovery:
        yield f"by {step.recovery}"
    if step.HasField("confidence"):
        yield f"confidence {step.confidence:.2f}"
    if step.reason_text:
        yield step.reason_text


def chosen_texts(manifest: Manifest) -> list[str]:
    """Text of the answer that was given, if one was; another step or tier may have such a juror.

    Of one whose words are not kept, the digest of what it was.
    """
    chosen = manifest.chosen_step, manifest.chosen_tier, manifest.chosen_juror
    given = (a for a in manifest.answers if (a.step, a.tier, a.juror) == chosen)
    return [_kept(answer) for answer in given]


def _kept(answer: Answer) -> str:
    is_gone = not answer.text and answer.content_sha256
    return f"(not kept; its SHA-256 is {answer.content_sha256})" if is_gone else answer.text


def cautions(manifest: Manifest) -> list[str]:
    """What a reader should know before trusting the answer."""
    told = {
        "self-ensemble: one model was asked several times; its jurors are no independent opinions": manifest.self_ensemble,
        "unjudged: no independent judge passed this answer": manifest.unjudged
        and manifest.outcome == OUTCOME_ANSWERED,
        "degraded: a stage was replaced by a fallback": manifest.degraded,
        **{
            f"{tally.tier or 'the tally'} is uncalibrated: {tally.uncalibrated_text}": bool(
                manifest.calibration_id and tally.uncalibrated_text
            )
            for tally in manifest.tallies
        },
        "some token counts are estimates: their provider gave none, or none that can be, or a stage was lost": any(
            p.usage_estimated for p in manifest.participations
        ),
    }
    said = {verdict.reason_text for verdict in manifest.verdicts}
    return [*(text for text, applies in told.items() if applies), *_mishaps(manifest, said)]


def flags(manifest: Manifest) -> list[str]:
    told = {
        "self-ensemble": manifest.self_ensemble,
        "unjudged": manifest.unjudged,
        "degraded": manifest.degraded,
    }
    return [flag for flag, applies in told.items() if applies]


def totals(manifest: Manifest) -> str:
    """Time, calls, tokens and cost in one line."""
    usage = manifest.usage
    parts = [
        f"{duration_from_wire(manifest.duration):.2f} s",
        counted(manifest.model_calls, "model call"),
        counted(usage.input_tokens + usage.output_tokens, "token"),
        usd(manifest.cost_usd),
        f"calibration {manifest.calibration_id}" if manifest.calibration_id else "uncalibrated",
    ]
    return " · ".join([*parts, *flags(manifest)])


def usd(amount: float) -> str:
    return f"${amount:.6f}" if 0 < amount < 0.01 else f"${amount:.2f}"


def _text(reply: AskResponse) -> str:
    return reply.answer.text if reply.HasField("answer") else ""


def _last(texts: Iterable[str]) -> list[str]:
    """The last of them, unless it says nothing."""
    return [text for text in list(texts)[-1:] if text]


def _votes(tally: Tally) -> Iterator[str]:
    for each in tally.classes:
        yield f"  {_short(each.value)}: {', '.join(each.jurors)} ({each.share:.0%})"
    for ballot in tally.ballots:
        if ballot.reason:
            yield f"  no vote from {ballot.juror}: {ballot.reason}"


def _objections(verdict: Verdict) -> Iterator[str]:
    for check in verdict.checks:
        if check.outcome == CHECK_OUTCOME_FAIL:
            yield f"  {check.name}: {check.evidence or 'failed'}"


def _route(manifest: Manifest) -> list[str]:
    if not manifest.HasField("route"):
        return []
    tiers = " then ".join(tier.name for tier in manifest.route.tiers)
    return [f"route    {tiers}: {manifest.route.reason_text}"]


def _stopped(stop: JuryStop) -> str:
    calls = counted(stop.saved_calls, "call")
    saved = [
        calls if stop.saved_calls else "",
        usd(stop.saved_usd) if stop.saved_usd else "",
        f"{duration_from_wire(stop.saved_time):.1f} s" if stop.HasField("saved_time") else "",
    ]
    told = ", ".join(each for each in saved if each)
    return f"{stop.reason}, saved about {told}" if told else stop.reason


def _counted(tally: Tally) -> str:
    classes = counted(len(tally.classes), "class")
    agreed = "consensus" if tally.consensus else "no consensus"
    known = f"{agreed} by {tally.method}, {classes}, divergence {tally.divergence:.2f}"
    told = [known, *([_likely(tally)] if tally.p_correct.calibrated else []), *_written(tally)]
    return ", ".join(told)


def _written(tally: Tally) -> list[str]:
    """Out of whose answers a synthesis was written, or why there is none."""
    if tally.synthesised:
        return [f"synthesis of {', '.join(tally.sources)}"]
    why = [each for each in tally.fallback_trail if each.startswith(SYNTHESIS)]
    return [f"no synthesis ({each.removeprefix(SYNTHESIS).replace('_', ' ')})" for each in why]


def _escalated(escalation: Escalation) -> str:
    return f"{escalation.from_tier} → {escalation.to_tier}: {escalation.reason_text}"


def _likely(tally: Tally) -> str:
    """How likely its leader is right, with the 90 % interval."""
    sure = tally.p_correct
    return f"right with {sure.value:.0%} ({sure.low:.0%} to {sure.high:.0%})"


def _judged(verdict: Verdict) -> str:
    word = VERDICT_WORDS.get(
        verdict.kind, VerdictKind.Name(verdict.kind).removeprefix("VERDICT_KIND_").lower()
    )
    by = f" by {verdict.judge}" if verdict.judge else ""
    score = f", score {verdict.score:.2f}" if verdict.HasField("score") else ""
    why = verdict.reason_text or verdict.unjudged_reason
    return f"{word}{by}{score}" + (f": {why}" if why else "")


def _mishaps(manifest: Manifest, said: Collection[str]) -> list[str]:
    """What became of those that did not answer, unless a verdict has said it."""
    return [
        f"{labelled(step_of(manifest, p), p.name or stage_name(p.stage))} {ending(p)}: {p.reason_text}"
        for p in manifest.participations
        if p.status != PARTICIPATION_STATUS_ANSWERED and p.reason_text not in {"", *said}
    ]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_VALUE else f"{line[: LONGEST_VALUE - 1]}…"
