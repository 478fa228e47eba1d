"""What each step did and spent, as it stands in the manifest of the whole request."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from gremium.v1 import manifest_pb2, types_pb2
from services.config.steps import MERGE, Step
from services.core.lease import Lease
from services.gateway.budget import joined
from services.gateway.case import Case
from services.gateway.patterns.specialists_log import place_of
from services.gateway.record import Record

NOT_DONE: Final = "STEP_NOT_DONE"


class Account:
    """A record of its own for a step, paid out of the request's budget.

    Whatever ends the step, what was answered and spent is the request's, under
    the step's name, and what is left of its share goes back.
    """

    def __init__(self, record: Record, case: Case, lease: Lease, step_id: str) -> None:
        self._whole = record
        tell = self._tell_spent if record.spending.is_told else None
        self._own = Record(case, watch=record.watch_of(step_id), tell_spent=tell)
        self._own.lease = lease
        self._step_id = step_id

    def __enter__(self) -> Record:
        lease = self._own.lease
        self._whole.lease = self._whole.lease.less(
            cost_usd=lease.cost_usd or 0.0,
            model_calls=lease.model_calls or 0,
            tokens=lease.tokens or 0,
        )
        return self._own

    def __exit__(self, *_: object) -> None:
        self._whole.lease = joined(self._whole.lease, self._own.lease)
        self._whole.degraded |= self._own.degraded
        own = self._own.manifest
        _name(own, self._step_id)
        whole = self._whole.manifest
        whole.participations.extend(own.participations)
        whole.jury_stops.extend(own.jury_stops)
        whole.tallies.extend(own.tallies)
        whole.verdicts.extend(own.verdicts)
        whole.answers.extend(own.answers)
        whole.escalations.extend(own.escalations)
        whole.passages.extend(own.passages)
        whole.steps.extend(own.steps)
        self._whole.spending.step_ended(self._step_id)

    def _tell_spent(self, own: manifest_pb2.Manifest) -> None:
        _name(own, self._step_id)
        self._whole.spending.of_step(self._step_id, own.participations)


def not_done(record: Record, step_id: str, step: Step, *, reason_text: str) -> None:
    """Record a step that was never begun."""
    searches = step.retrieval is not None
    record.not_begun(
        manifest_pb2.Participation(
            stage=manifest_pb2.STAGE_RETRIEVAL if searches else manifest_pb2.STAGE_JURY,
            tier=step_id,
            status=manifest_pb2.PARTICIPATION_STATUS_SKIPPED,
            reason=NOT_DONE,
            reason_text=reason_text,
        )
    )


def put_in_order(
    manifest: manifest_pb2.Manifest, steps: Sequence[str], passage_ids: Iterable[str]
) -> None:
    """Order all that was recorded as it was planned, whoever was done first.

    What belongs to no step stays where it belongs: routing before the steps, the
    verdict on the answer behind them.
    """
    place = {step: nth for nth, step in enumerate(["", *steps, MERGE])}
    found = {one: nth for nth, one in enumerate(passage_ids)}
    manifest.participations.sort(key=lambda part: (place[part.tier], _began_s(part)))
    manifest.jury_stops.sort(key=lambda stop: place[stop.tier])
    manifest.tallies.sort(key=lambda tally: place[tally.tier])
    manifest.verdicts.sort(key=lambda verdict: place[verdict.tier])
    manifest.answers.sort(key=lambda answer: place[answer.step])
    manifest.escalations.sort(key=lambda escalation: place[escalation.step])
    manifest.passages.sort(key=lambda passage: found.get(passage.id, len(found)))
    manifest.steps.sort(key=lambda step: place_of(step.id, place))


def _name(own: manifest_pb2.Manifest, step_id: str) -> None:
    recorded: Iterable[
        manifest_pb2.Participation
        | manifest_pb2.JuryStop
        | manifest_pb2.Tally
        | manifest_pb2.Verdict
    ]
    recorded = [*own.participations, *own.jury_stops, *own.tallies, *own.verdicts]
    for one in recorded:
        one.tier = step_id
    given: Iterable[types_pb2.Answer | manifest_pb2.Escalation]
    given = [*own.answers, *own.escalations]
    for each in given:
        each.step = step_id
    for inner in own.steps:
        inner.id = f"{step_id}/{inner.id}"


def _began_s(part: manifest_pb2.Participation) -> float:
    """When it began; who was never asked stands behind the others."""
    began_s = part.start_time.ToNanoseconds() / 1e9
    return began_s if began_s > 0.0 else math.inf
