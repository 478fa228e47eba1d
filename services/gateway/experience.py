"""What came of routes: what corrects the predictions, and what tells that they no longer hold.

It is counted from manifests, so that after a restart the ledger tells it again. No I/O.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gremium.v1 import ensemble_pb2, manifest_pb2, router_pb2
from services.routing.bandit import Arm
from services.routing.drift import Drift
from services.routing.recorded import verdict_quality

logger = logging.getLogger(__name__)

MAX_NOTICED: Final = 64
"""Latest signs of drift that are kept."""


@dataclass(slots=True)
class _Ensemble:
    """What came of the routes of one ensemble by one trained router."""

    artefact_id: str
    drift: Drift
    arms: dict[str, Arm] = field(default_factory=dict)


class Experience:
    """Of all ensembles. Another trained router begins anew: it predicts something else."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._ensembles: dict[str, _Ensemble] = {}
        self._noticed: list[ensemble_pb2.DriftRecord] = []

    def of(self, ensemble: str) -> Sequence[router_pb2.Experience]:
        """What came of its tiers beyond what was predicted, for the router."""
        known = self._ensembles.get(ensemble)
        return [_arm_to_wire(name, arm) for name, arm in known.arms.items()] if known else ()

    @property
    def noticed(self) -> Sequence[ensemble_pb2.DriftRecord]:
        """Signs that what was learned no longer holds, the latest last."""
        return tuple(self._noticed)

    def note(self, manifest: manifest_pb2.Manifest) -> None:
        """Take in what came of a request."""
        route = manifest.route
        if not route.tiers:
            return
        here = self._ensembles.get(manifest.ensemble)
        if here is None or here.artefact_id != route.artefact_id:
            here = _Ensemble(route.artefact_id, Drift(self._rng))
            self._ensembles[manifest.ensemble] = here
        if (outcome := outcome_of(manifest)) is not None:
            _learn(here, route, outcome)
            self._watch(here, manifest, outcome)

    def _watch(self, here: _Ensemble, manifest: manifest_pb2.Manifest, outcome: float) -> None:
        route, first = manifest.route, manifest.route.tiers[0]
        if not first.adequacy.calibrated:
            return
        domain = route.learned_domain or route.domain
        alarm = here.drift.observe(
            domain=domain, model=first.name, predicted=first.adequacy.value, outcome=outcome
        )
        if alarm is not None:
            where = f" in domain {domain}" if domain else ""
            self._notice(
                manifest,
                f"its answers{where} are no longer judged as the first of {alarm.n} were",
            )

    def _notice(self, manifest: manifest_pb2.Manifest, why: str) -> None:
        route = manifest.route
        record = ensemble_pb2.DriftRecord(
            ensemble=manifest.ensemble,
            tier=route.tiers[0].name,
            domain=route.learned_domain or route.domain,
            artefact_id=route.artefact_id,
            notice_time=manifest.start_time,
            reason_text=why,
        )
        self._noticed = [*self._noticed, record][-MAX_NOTICED:]
        logger.warning("drift of %s/%s: %s", record.ensemble, record.tier, why)


def outcome_of(manifest: manifest_pb2.Manifest) -> float | None:
    """How adequate the answer of the first tier was, in [0, 1]; None: nobody judged it."""
    first = manifest.route.tiers[0].name
    told = (verdict_quality(verdict) for verdict in manifest.verdicts if verdict.tier == first)
    return next((quality for quality in told if quality is not None), None)


def _learn(here: _Ensemble, route: router_pb2.RouteDecision, outcome: float) -> None:
    """Only of tiers that were drawn: of the others nobody knows in which context."""
    if not route.context:
        return
    first, context = route.tiers[0], np.array(route.context)
    arm = here.arms.get(first.name, Arm.fresh(context.size))
    if arm.moment.size != context.size:
        arm = Arm.fresh(context.size)
    here.arms[first.name] = arm.after(context, outcome - first.adequacy.value)


def _arm_to_wire(name: str, arm: Arm) -> router_pb2.Experience:
    return router_pb2.Experience(
        tier=name, precision=arm.precision.ravel().tolist(), moment=arm.moment.tolist()
    )
