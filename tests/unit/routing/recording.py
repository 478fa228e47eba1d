"""Requests as the ledger has them, with what a router can learn from."""

import numpy as np

from gremium.v1 import manifest_pb2, router_pb2, shadow_pb2
from router_svc.recording import as_bytes
from services.routing.features import FEATURE_VERSION, FEATURES

PASS, FAIL = manifest_pb2.VERDICT_KIND_PASS, manifest_pb2.VERDICT_KIND_FAIL
UNJUDGED = manifest_pb2.VERDICT_KIND_UNJUDGED
EQUAL = shadow_pb2.SHADOW_VERDICT_EQUAL
ANSWERED = manifest_pb2.PARTICIPATION_STATUS_ANSWERED
USED = "none/words"
VALUES = [float(n) for n in range(len(FEATURES))]
AXIS = as_bytes(np.array([0.0, 1.0], dtype=np.float32))


def features(*, vector=b"", version=FEATURE_VERSION, embedding=USED, digest="d" * 32):
    return router_pb2.PromptFeatures(
        version=version, values=VALUES, question_digest=digest, vector=vector, embedding=embedding
    )


def request(
    request_id="r1", *, ballots=None, verdicts=None, score=None, expected="", chosen="a", kept=None
):
    """Jurors `a` and `b` of tier `t`, asked of models `small` and `large`."""
    made = manifest_pb2.Manifest(
        request_id=request_id,
        ensemble="main",
        pattern="route",
        chosen_juror=chosen,
        chosen_tier="t",
        route=router_pb2.RouteDecision(domain="code", features=kept or features()),
    )
    for juror, model in (("a", "small"), ("b", "large")):
        part = made.participations.add(
            stage=manifest_pb2.STAGE_JURY, name=juror, model=model, tier="t", cost_usd=0.5
        )
        part.usage.output_tokens = 40
    if ballots:
        tally = made.tallies.add(tier="t")
        for juror, key in ballots.items():
            tally.ballots.add(juror=juror, key=key)
    for juror, kind in (verdicts or {}).items():
        made.verdicts.add(tier="t", juror=juror, kind=kind)
    if score is not None:
        made.feedback.add(score=score, expected=expected)
    return made


def shadow(verdict, *models, request_id="r1"):
    """What these models of tier `cheap` would have answered to a request that `t` did."""
    made = shadow_pb2.ShadowRecord(
        request_id=request_id, tier_used="t", tier_shadow="cheap", verdict=verdict
    )
    for model in models:
        part = made.participations.add(
            stage=manifest_pb2.STAGE_JURY,
            model=model,
            model_calls=1,
            cost_usd=0.125,
            status=ANSWERED,
        )
        part.usage.output_tokens = 7
    made.participations.add(stage=manifest_pb2.STAGE_JUDGE, model="judge", model_calls=1)
    return made
