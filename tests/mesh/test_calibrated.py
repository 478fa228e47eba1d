"""A jury counts by what was learned of its jurors, and every manifest says whether it did."""

from dataclasses import replace

import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2
from services.calibration.artefact import (
    Calibration,
    ConfidenceMap,
    Declining,
    Gate,
    JudgeFit,
    PoolFit,
    Threshold,
    write,
)
from services.calibration.recorded import outcomes_of
from services.config.load import ConfigError
from tests.mesh.test_ask import PASS
from tests.mesh.test_weighted import judge
from tests.upstream import Reply

NUMBER = types_pb2.OutputFormat(number=types_pb2.NumberFormat())
JURY = {"jurors": [{"model": "a"}, {"model": "b"}, {"model": "c"}], "quorum": 3}
SCRIPT = {"a": Reply(text="5"), "b": Reply(text="5"), "c": Reply(text="4")}
FIT = PoolFit(
    rule="logit",
    jurors=("a", "b", "c"),
    weights=(0.5, 0.5, 3.0),
    alone=(0.0, 0.0, 0.0),
    abstaining=(0.0, 0.0, 0.0),
    priors=(0.5, 0.5, 0.9),
    none_score=0.0,
    abstain=0.0,
    gate=Gate(closed=False, best="c", quantile=0.01, n=80),
    confidence=ConfidenceMap(),
    n_labels=80,
    metrics={"accuracy": 0.9},
)


@pytest.fixture
def calibrated(tmp_path):
    """Write a calibration beside the configuration; returns its id."""

    def make(judges=None, /, **pools):
        now = "2026-01-01T00:00:00+00:00"
        made = Calibration(now, "0" * 64, pools=pools, judges=judges or {})
        write(made, tmp_path / "calibration.json")
        return made.id

    return make


async def test_without_a_calibration_the_manifest_says_uncalibrated(serve):
    gateway = await serve(JURY, SCRIPT)

    reply = await gateway.ask(shape=NUMBER)

    (tally,) = reply.manifest.tallies
    assert ("5", "", "no calibration is configured", False) == (
        reply.answer.text,
        reply.manifest.calibration_id,
        tally.uncalibrated_text,
        tally.p_correct.calibrated,
    )


async def test_a_juror_that_was_learned_to_be_right_outvotes_the_others(serve, calibrated):
    made = calibrated(main=FIT)
    gateway = await serve(JURY, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    (tally,) = reply.manifest.tallies
    assert ("4", made, made, "logit", "") == (
        reply.answer.text,
        reply.manifest.calibration_id,
        tally.p_correct.calibration_id,
        tally.method,
        tally.uncalibrated_text,
    )
    assert reply.manifest.confidence == tally.p_correct.value
    assert made == (await gateway.manifest(reply.request_id)).calibration_id


async def test_a_closed_gate_lets_the_best_jurors_answer_stand(serve, calibrated):
    flat = replace(FIT, weights=(1.0, 1.0, 1.0), gate=replace(FIT.gate, closed=True))
    calibrated(main=flat)
    gateway = await serve(JURY, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    assert ("4", ["gate"]) == (reply.answer.text, [*reply.manifest.tallies[0].fallback_trail])


async def test_a_juror_without_weight_in_the_configuration_gets_none(serve, calibrated):
    calibrated(main=FIT)
    silent = {**JURY, "jurors": [{"model": "a"}, {"model": "b"}, {"model": "c", "weight": 0}]}
    gateway = await serve(silent, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    assert "5" == reply.answer.text


async def test_an_unknown_juror_makes_its_pool_uncalibrated(serve, calibrated, caplog):
    made = calibrated(
        main=replace(
            FIT,
            jurors=("a", "c"),
            weights=(0.5, 3.0),
            alone=(0.0, 0.0),
            abstaining=(0.0, 0.0),
            priors=(0.5, 0.9),
        )
    )
    gateway = await serve(JURY, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    (tally,) = reply.manifest.tallies
    why = f"calibration {made} is not used: it knows nothing of juror b"
    assert ("5", why, made) == (
        reply.answer.text,
        tally.uncalibrated_text,
        reply.manifest.calibration_id,
    )
    assert f"pool main is uncalibrated: {why}" in caplog.messages


async def test_too_few_labels_are_no_calibration(serve, calibrated):
    calibrated(main=replace(FIT, n_labels=49))
    gateway = await serve(JURY, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    told = reply.manifest.tallies[0].uncalibrated_text
    assert ("5", True) == (
        reply.answer.text,
        told.endswith("it has 49 labels of this pool; 50 are needed"),
    )


FEW = replace(FIT, rule="log_odds", weights=(1.0, 1.0, 1.0), n_labels=30)


@pytest.mark.parametrize(
    ("priors", "given", "trail"),
    [
        pytest.param((0.5, 0.5, 0.6), "5", [], id="two of three"),
        pytest.param((0.25, 0.25, 0.39), "4", [], id="who is better weighs more"),
        pytest.param((0.4, 0.4, 0.95), "4", ["gate"], id="far better"),
    ],
)
async def test_of_few_labels_how_often_each_was_right_weighs(
    serve, calibrated, priors, given, trail
):
    made = calibrated(main=replace(FEW, priors=priors))
    gateway = await serve(JURY, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    (tally,) = reply.manifest.tallies
    told = (reply.answer.text, tally.method, [*tally.fallback_trail], tally.p_correct.calibrated)
    assert (given, "log_odds", trail, False) == told
    few = f"calibration {made} tells only how often each juror is right: it has 30 labels"
    assert tally.uncalibrated_text.startswith(few)


async def test_a_closed_gate_without_a_heard_best_juror_is_no_calibration(serve, calibrated):
    flat = replace(FIT, weights=(1.0, 1.0, 1.0), gate=replace(FIT.gate, closed=True))
    made = calibrated(main=flat)
    silent = {**JURY, "jurors": [{"model": "a"}, {"model": "b"}, {"model": "c", "weight": 0}]}
    gateway = await serve(silent, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    (tally,) = reply.manifest.tallies
    why = f"calibration {made} is not used: its best juror c has no weight"
    assert ("5", [], why) == (
        reply.answer.text,
        [*tally.fallback_trail],
        tally.uncalibrated_text,
    )


async def test_below_the_configured_confidence_there_is_no_consensus(serve, calibrated):
    calibrated(main=replace(FIT, none_score=3.0))
    sure = {**JURY, "aggregate": {"min_confidence": 0.9}}
    gateway = await serve(sure, SCRIPT, calibration="calibration.json")

    reply = await gateway.ask(shape=NUMBER)

    assert manifest_pb2.OUTCOME_NO_CONSENSUS == reply.outcome


async def test_a_juror_that_a_calibration_does_not_know_does_not_switch_the_confidence_off(
    serve, calibrated
):
    known = replace(FIT, jurors=("a", "b", "old"), gate=replace(FIT.gate, best="old"))
    calibrated(main=known)
    gateway = await serve(
        {**JURY, "aggregate": {"min_confidence": 0.9}}, SCRIPT, calibration="calibration.json"
    )

    reply = await gateway.ask(shape=NUMBER)

    assert manifest_pb2.OUTCOME_NO_CONSENSUS == reply.outcome


async def test_every_tier_has_a_pool_of_its_own(serve, calibrated):
    calibrated(**{"main/second": FIT})
    tiers = [
        {"name": "first", "jurors": [{"model": "d"}, {"model": "e"}]},
        {"name": "second", "jurors": JURY["jurors"], "quorum": 3},
    ]
    script = {**SCRIPT, "d": Reply(text="1"), "e": Reply(text="2")}
    gateway = await serve(
        {"pattern": "cascade", "tiers": tiers}, script, calibration="calibration.json"
    )

    reply = await gateway.ask(shape=NUMBER)

    assert ["first", "second"] == [tally.tier for tally in reply.manifest.tallies]
    assert [False, True] == [tally.p_correct.calibrated for tally in reply.manifest.tallies]
    assert "4" == reply.answer.text


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(None, "cannot be read", id="missing"),
        pytest.param('{"format": 2}', "created: field required", id="not a calibration"),
    ],
)
async def test_a_calibration_that_cannot_be_used_ends_the_start(serve, tmp_path, content, fault):
    if content is not None:
        (tmp_path / "calibration.json").write_text(content)

    with pytest.raises(ConfigError) as raised:
        await serve(JURY, SCRIPT, calibration="calibration.json")

    told = str(raised.value)
    assert fault in told
    assert f"{tmp_path}/gremium.yaml:1: calibration: {tmp_path}/calibration.json: " in told


JUDGED = {**JURY, "judge": {"models": ["judge"], "promise": {"alpha": 0.2}}}
VERDICTS = JudgeFit(
    intercept=-4.0,
    coefficients={"support": 8.0},
    reliabilities={},
    raw_reliabilities={},
    thresholds=(Threshold(0.2, 0.1, 0.8, 60, 0.18, 0.6), Threshold(0.1, 0.1, None, 0, 1.0, 0.0)),
    n_labels=120,
    metrics={},
)


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


MAY = types_pb2.OutputFormat(number=types_pb2.NumberFormat(), may_abstain=True)


@pytest.mark.parametrize(
    ("learned", "aggregate", "text"),
    [
        pytest.param(Declining(-2.0, (0.0, 0.0, 0.0)), {}, "4", id="learned to be wrong"),
        pytest.param(
            Declining(2.0, (0.0, 0.0, 0.0)), {"abstain_weight": 0.0}, "I don't know.", id="right"
        ),
        pytest.param(None, {}, "I don't know.", id="not learned: like any answer"),
        pytest.param(None, {"abstain_weight": 0.25}, "4", id="not learned: as configured"),
    ],
)
async def test_to_abstain_has_a_learned_prior(serve, calibrated, learned, aggregate, text):
    calibrated(main=replace(FIT, weights=(1.0, 1.0, 1.5), declining=learned))
    unknown = Reply(text="I don't know.")
    gateway = await serve(
        {**JURY, "aggregate": aggregate},
        {**SCRIPT, "a": unknown, "b": unknown},
        calibration="calibration.json",
    )

    reply = await gateway.ask(shape=MAY)

    (tally,) = reply.manifest.tallies
    assert (text, "logit", True) == (reply.answer.text, tally.method, tally.p_correct.calibrated)
    assert (text == "I don't know.") == (tally.leader == tally.abstain_key)


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
