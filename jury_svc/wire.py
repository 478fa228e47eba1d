"""Contract messages to a case, and what comes of it back to messages."""

import math
from typing import Final

from gremium.v1 import aggregator_pb2, jury_pb2, manifest_pb2
from jury_svc.case import Case, Event, Hearing, Juror, Settled, Started, Stopping, Wrote
from jury_svc.leads import Fit, Voter
from jury_svc.polling import Counting
from jury_svc.quorum import Stop
from jury_svc.stopping import Rule, Terms
from services.core.canonical import abstain_key
from services.core.priors import ballot_weight
from services.core.prompts import Prompt
from services.models.asking import participation_to_wire
from services.models.roster import Roster
from services.runtime.rules import check_unique
from services.runtime.wire import (
    answer_to_wire,
    duration_from_wire,
    duration_to_wire,
    lease_from_wire,
    lease_to_wire,
    prompt_from_wire,
)

STOP_TO_WIRE: Final = {
    Stop.ALL_SETTLED: jury_pb2.STOP_REASON_ALL_SETTLED,
    Stop.QUORUM: jury_pb2.STOP_REASON_QUORUM,
    Stop.DEADLINE: jury_pb2.STOP_REASON_DEADLINE,
    Stop.QUORUM_IMPOSSIBLE: jury_pb2.STOP_REASON_QUORUM_IMPOSSIBLE,
    Stop.DECIDED: jury_pb2.STOP_REASON_DECIDED,
}
RULES: Final = {
    jury_pb2.STOP_RULE_UNCATCHABLE: Rule.UNCATCHABLE,
    jury_pb2.STOP_RULE_BETA: Rule.BETA,
    jury_pb2.STOP_RULE_AGREE: Rule.AGREE,
    jury_pb2.STOP_RULE_POSTERIOR: Rule.POSTERIOR,
}
UNKNOWN: Final = -1.0
"""A prior below all others."""
RULE_TO_WIRE: Final = {rule: wire for wire, rule in RULES.items()}


def case_from_wire(request: jury_pb2.DeliberateRequest, roster: Roster) -> Case:
    """Read what a jury is asked.

    Raises
    ------
    InvalidRequestError
        If two jurors have one name, or no answer to the prompt could be read.
    UnknownModelError
        If the roster has no such model.
    """
    check_unique("jurors", [juror.name for juror in request.jurors])
    prompt = prompt_from_wire(request.prompt)
    return Case(
        prompt=prompt,
        jurors=tuple(_juror_from_wire(juror, roster) for juror in request.jurors),
        quorum=request.quorum,
        grace_s=duration_from_wire(request.grace),
        lease=lease_from_wire(request.lease),
        counting=_counting(request.stop, prompt) if request.stop.rule in RULES else None,
        waves=tuple(request.waves),
    )


def _counting(stop: jury_pb2.StopTerms, prompt: Prompt) -> Counting:
    check_unique("stop.weights", [weight.juror for weight in stop.weights])
    return Counting(
        terms=Terms(
            rule=RULES[stop.rule],
            gamma=stop.gamma,
            agree=stop.agree,
            tau=stop.tau,
            min_share=stop.min_share,
            min_confidence=stop.min_confidence,
        ),
        voters={w.juror: _voter(w, stop, by_prior=_by_prior(w, stop)) for w in stop.weights},
        fit=_fit(stop, prompt),
        letters=stop.letters,
        unlisted=_voter(aggregator_pb2.JurorWeight(weight=1.0), stop, by_prior=False),
    )


def _voter(
    weight: aggregator_pb2.JurorWeight, stop: jury_pb2.StopTerms, *, by_prior: bool
) -> Voter:
    counts = ballot_weight(weight.prior) if by_prior else weight.weight
    more = weight.abstaining if stop.HasField("fitted") else (_abstain_weight(stop) - 1.0) * counts
    return Voter(
        name=weight.juror,
        weight=counts,
        prior=weight.prior if weight.HasField("prior") else UNKNOWN,
        alone=weight.alone,
        abstaining=more,
    )


def _by_prior(weight: aggregator_pb2.JurorWeight, stop: jury_pb2.StopTerms) -> bool:
    return stop.by_priors.log_odds and weight.weight > 0.0


def _abstain_weight(stop: jury_pb2.StopTerms) -> float:
    return stop.abstain_weight if stop.HasField("abstain_weight") else 1.0


def _fit(stop: jury_pb2.StopTerms, prompt: Prompt) -> Fit | None:
    known, key = stop.fitted, abstain_key(prompt.output_format, prompt.tools)
    if not stop.HasField("fitted"):
        best, differs = stop.by_priors.best_juror, _abstain_weight(stop) != 1.0
        return Fit(best=best, abstain_key=key, plain=True) if best or differs else None
    return Fit(
        none_score=known.none_score,
        abstain_score=known.abstain_score,
        abstain_key=key,
        best=known.best_juror,
        slope=known.slope,
        offset=known.offset,
    )


def _juror_from_wire(juror: jury_pb2.JurorSpec, roster: Roster) -> Juror:
    return Juror(
        name=juror.name,
        model=roster.get(juror.model),
        instruction=juror.instruction,
        timeout_s=duration_from_wire(juror.timeout),
    )


def hearing_to_wire(hearing: Hearing, *, tier: str) -> jury_pb2.DeliberateResponse:
    return jury_pb2.DeliberateResponse(
        answers=[answer_to_wire(end.answer) for end in hearing.settled if end.answer is not None],
        participations=[_participation(end, tier) for end in hearing.settled],
        quorum_met=hearing.quorum_met,
        stop_reason=STOP_TO_WIRE[hearing.stop],
        unspent=lease_to_wire(hearing.unspent),
        stopping=_stopping_to_wire(hearing.stopping),
    )


def _stopping_to_wire(stopping: Stopping) -> jury_pb2.Stopping:
    saved = stopping.saved
    told = jury_pb2.Stopping(
        rule=RULE_TO_WIRE[stopping.rule] if stopping.rule else jury_pb2.STOP_RULE_UNSPECIFIED,
        ballots=stopping.ballots,
        saved_calls=saved.calls,
        saved_usd=saved.cost_usd,
        saved_time=None if saved.time_s is None else duration_to_wire(saved.time_s),
    )
    if stopping.statistic is not None and math.isfinite(stopping.statistic):
        told.statistic = stopping.statistic
    return told


def event_to_wire(event: Event | Hearing, *, tier: str) -> jury_pb2.DeliberateStreamResponse:
    match event:
        case Started(juror):
            started = jury_pb2.JurorStarted(juror=juror.name, model=juror.model.spec.model)
            return jury_pb2.DeliberateStreamResponse(started=started)
        case Wrote():
            delta = jury_pb2.JurorDelta(juror=event.juror, text=event.text)
            return jury_pb2.DeliberateStreamResponse(delta=delta)
        case Settled():
            settled = jury_pb2.JurorSettled(
                participation=_participation(event, tier),
                answer=answer_to_wire(event.answer) if event.answer is not None else None,
            )
            return jury_pb2.DeliberateStreamResponse(settled=settled)
        case Hearing():
            return jury_pb2.DeliberateStreamResponse(done=hearing_to_wire(event, tier=tier))


def _participation(end: Settled, tier: str) -> manifest_pb2.Participation:
    return participation_to_wire(
        end.asked,
        stage=manifest_pb2.STAGE_JURY,
        name=end.juror.name,
        model=end.juror.model,
        tier=tier,
    )
