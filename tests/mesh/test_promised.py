"""A judge with a calibration promises how often it is wrong, or says that it cannot."""

from dataclasses import replace

import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.calibration.recorded import outcomes_of
from tests.mesh.learned import FIT, JUDGED, JURY, NUMBER, SCRIPT, VERDICTS
from tests.mesh.test_ask import PASS
from tests.mesh.test_weighted import judge


@pytest.mark.parametrize(
    ("none_score", "outcome"),
    [
        pytest.param(0.0, manifest_pb2.OUTCOME_ANSWERED, id="kept"),
        pytest.param(3.5, manifest_pb2.OUTCOME_REJECTED, id="not kept"),
    ],
)
async def test_only_what_keeps_the_promise_passes(serve, calibrated, none_score, outcome):
    made = calibrated({"main": VERDICTS}, main=replace(FIT, none_score=none_score))
    gateway = await serve(JUDGED, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    (verdict,) = reply.manifest.verdicts
    answered = outcome == manifest_pb2.OUTCOME_ANSWERED
    assert (outcome, answered) == (reply.outcome, verdict.promise.guarantee_holds)
    assert (0.2, 0.8, made) == (
        verdict.promise.alpha,
        verdict.promise.threshold,
        verdict.p_ok.calibration_id,
    )
    (support,) = (signal for signal in verdict.signals if signal.coefficient)
    assert ("support", reply.manifest.tallies[0].p_correct.value) == (support.name, support.value)
    assert 3 == gateway.provider.calls, "no judge model could have turned it"


async def test_a_promise_without_labels_leaves_the_judge_model_to_decide(serve, calibrated, caplog):
    made = calibrated({"main": VERDICTS}, main=FIT)
    judged = {**JURY, "judge": {"models": ["judge"], "promise": {"alpha": 0.15}}}
    gateway = await serve(judged, {**SCRIPT, "judge": PASS}, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    (verdict,) = reply.manifest.verdicts
    assert ("judge", False) == (verdict.judge, verdict.HasField("promise"))
    why = f"calibration {made} has no threshold for alpha 0.15 and delta 0.1"
    assert f"judge of main is uncalibrated: {why}" in caplog.messages


@pytest.mark.parametrize(
    ("on_failure", "outcome"),
    [
        ("open", manifest_pb2.OUTCOME_ANSWERED),
        ("closed", manifest_pb2.OUTCOME_REJECTED),
    ],
)
async def test_what_cannot_be_promised_is_unjudged_whatever_the_judge_says(
    serve, calibrated, on_failure, outcome
):
    calibrated({"main": VERDICTS}, main=FIT)
    terms = {"promise": {"alpha": 0.1}, "on_failure": on_failure}
    judged = {**JURY, "judge": {"models": ["judge"], **terms}}
    gateway = await serve(judged, {**SCRIPT, "judge": PASS}, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    (verdict,) = reply.manifest.verdicts
    assert (outcome, True, "NO_PROMISE") == (
        reply.outcome,
        reply.manifest.unjudged,
        verdict.unjudged_reason,
    )


async def test_what_other_jurors_wrote_is_evidence(serve, calibrated):
    signals = replace(VERDICTS, intercept=4.0, coefficients={"agreement": 1.0, "prior": 1.0})
    calibrated({"main": signals}, main=FIT)
    gateway = await serve(JUDGED, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    told = {
        each.name: each.value for each in reply.manifest.verdicts[0].signals if each.coefficient
    }
    assert {"agreement": 0.0, "prior": 0.9} == told


async def test_a_first_calibration_can_learn_all_signals(serve):
    audited = {**JURY, "judge": {"models": ["judge"]}}
    gateway = await serve(audited, {**SCRIPT, "judge": PASS})
    reply = await gateway.ask(shape=NUMBER)
    said = ensemble_pb2.SubmitFeedbackRequest(
        request_id=reply.manifest.request_id, feedback=manifest_pb2.Feedback(score=1.0)
    )
    await gateway.stub.SubmitFeedback(said, timeout=5.0)

    (found,) = outcomes_of(await gateway.manifest(reply.manifest.request_id))

    told = {"agreement": 0.5, "prior": 0.5, "support": 2 / 3, "judge": 0.9, "peer_numbers": 0.5}
    assert told == pytest.approx({name: found.signals[name] for name in told})
    assert found.audited == reply.answer.juror


async def test_judges_of_a_learned_panel_are_heard_by_their_reliability(serve, calibrated):
    heard = replace(VERDICTS, reliabilities={"liar": 0.0, "judge": 1.0})
    calibrated({"main": heard}, main=FIT)
    panel = {**JURY, "judge": {"models": ["liar", "judge"]}, "aggregate": {"method": "weighted"}}
    gateway = await serve(panel, {**SCRIPT, "judge": judge}, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    assert "c" == reply.answer.juror
    compared = [
        p.name for p in reply.manifest.participations if p.stage == manifest_pb2.STAGE_JUDGE
    ]
    assert ["judge"] * 4 == compared[:4], "two pairs differ, each in both orders"
