"""A jury counts by what was learned of its jurors, and every manifest says whether it did."""

from dataclasses import replace

import pytest

from gremium.v1 import manifest_pb2, types_pb2
from services.calibration.artefact import Declining
from services.config.problems import ConfigError
from tests.mesh.learned import FIT, JURY, NUMBER, SCRIPT
from tests.upstream import Reply


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
