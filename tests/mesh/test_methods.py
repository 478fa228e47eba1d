"""Answers are combined by the method that is configured, and the manifest says how sure that is."""

import json

import pytest

from gremium.v1 import manifest_pb2, types_pb2
from tests.mesh.test_ask import PASS
from tests.upstream import Reply

NUMBER = types_pb2.OutputFormat(number=types_pb2.NumberFormat())
JSON = types_pb2.OutputFormat(json=types_pb2.JsonFormat())
JURORS = [{"model": "a"}, {"model": "b"}, {"model": "c"}]
MIXED = {
    "a": Reply(text='{"a":"One","b":2,"c":9}'),
    "b": Reply(text='{"a":"one","b":8,"c":"Three"}'),
    "c": Reply(text='{"a":7,"b":2,"c":"three"}'),
}


def jury(**aggregate):
    return {"jurors": JURORS, "quorum": 3, "aggregate": aggregate}


async def test_log_odds_weigh_by_adequacy(serve):
    gateway = await serve(
        jury(method="log_odds"), {"a": Reply(text="5"), "b": Reply(text="5"), "c": Reply(text="4")}
    )

    (tally,) = (await gateway.ask(shape=NUMBER)).manifest.tallies

    assert ("log_odds", ["a", "b"]) == (tally.method, tally.classes[0].jurors)


BETTER = {"a": Reply(text="5"), "b": Reply(text="5"), "large": Reply(text="4", delay_s=0.2)}


@pytest.mark.parametrize(
    ("method", "given", "trail"), [("auto", "4", ["gate"]), ("plurality", "5", [])]
)
async def test_two_weak_models_do_not_outvote_a_far_better_one_unless_asked_to(
    serve, method, given, trail
):
    ensemble = {"jurors": [{"model": name} for name in BETTER], "aggregate": {"method": method}}
    gateway = await serve({**ensemble, "quorum": 2, "grace_s": 0}, BETTER)

    reply = await gateway.ask(shape=NUMBER)

    (tally,) = reply.manifest.tallies
    assert (given, trail) == (reply.answer.text, [*tally.fallback_trail])


async def test_a_far_better_model_of_no_weight_does_not_stand_for_all(serve):
    jurors = [{"model": "a"}, {"model": "b"}, {"model": "large", "weight": 0}]
    gateway = await serve({"jurors": jurors, "quorum": 3}, BETTER)

    reply = await gateway.ask(shape=NUMBER)

    assert ("5", []) == (reply.answer.text, [*reply.manifest.tallies[0].fallback_trail])


@pytest.mark.parametrize("name", ["semantic_mean", "medoid"])
async def test_the_semantic_mean_has_a_distance_whatever_its_name(serve, name):
    gateway = await serve(
        jury(method=name),
        {key: Reply(text=f"Bern is the capital {key}") for key in "abc"},
    )

    (tally,) = (await gateway.ask()).manifest.tallies

    assert tally.HasField("centroid_distance")
    assert tally.method.startswith("medoid")


async def test_fields_are_put_together_where_allowed_and_judged_like_any_answer(serve):
    spliced = {**jury(method="fieldwise", allow_splicing=True)}
    spliced["judge"] = {"models": ["judge"], "timeout_s": 2}
    seen = []

    def judge(body):
        seen.append(str(body["messages"][-1]["content"]))
        return PASS

    gateway = await serve(spliced, {**MIXED, "judge": judge})

    reply = await gateway.ask(shape=JSON)

    (tally,) = reply.manifest.tallies
    (field,) = tally.spliced
    given = json.loads(reply.answer.text)
    assert (2, "three") == (given["b"], given["c"].lower())
    assert ("spliced", "/c", False) == (tally.method, field.pointer, reply.unjudged)
    assert reply.answer.text in seen[-1] or reply.answer.text.replace('"', '\\"') in seen[-1]


async def test_nothing_is_put_together_where_it_is_not_allowed(serve):
    gateway = await serve(jury(method="fieldwise"), MIXED)

    reply = await gateway.ask(shape=JSON)

    assert manifest_pb2.OUTCOME_NO_CONSENSUS == reply.outcome


@pytest.mark.parametrize("hung", [{"aggregator"}])
async def test_without_an_aggregator_the_trail_says_so(serve, hung):
    gateway = await serve(jury(), {key: Reply(text="5") for key in "abc"}, hung=hung)

    (tally,) = (await gateway.ask(shape=NUMBER, timeout_s=4)).manifest.tallies

    assert ("best_juror", ["no_aggregator"]) == (tally.method, list(tally.fallback_trail))
    assert (0.5, 0.5) == (tally.p_correct.value, tally.p_none)
    assert (0.0, 1.0, False) == (
        tally.p_correct.low,
        tally.p_correct.high,
        tally.p_correct.calibrated,
    )
    assert tally.uncalibrated_text


@pytest.mark.parametrize("hung", [{"aggregator"}])
async def test_without_an_aggregator_a_juror_known_to_be_unsure_does_not_answer(serve, hung):
    gateway = await serve(jury(min_confidence=0.6), {k: Reply(text="5") for k in "abc"}, hung=hung)

    reply = await gateway.ask(shape=NUMBER, timeout_s=4)

    told = "a is right with 50%; 60% are needed"
    assert (manifest_pb2.OUTCOME_NO_CONSENSUS, told) == (
        reply.outcome,
        reply.manifest.tallies[0].reason_text,
    )
