"""What one request through the whole mesh promises its caller, on either transport."""

import json
import time

import grpc
import pytest

from gremium.v1 import manifest_pb2, types_pb2
from tests.mesh.meshes import reason, request, request_id
from tests.upstream import Reply


def verdict(*failed: str) -> Reply:
    """What a judge model writes."""
    return Reply(
        text=json.dumps(
            {
                criterion: {
                    "evidence": "as seen",
                    "pass": criterion not in failed,
                    "score": 0.1 if criterion in failed else 0.9,
                }
                for criterion in ("hallucination", "safety", "logic")
            }
        )
    )


PASS, FAIL, UNSAFE = verdict(), verdict("hallucination", "logic"), verdict("safety")
PROSE = Reply(text="Looks good to me!")
LABELS = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["yes", "no", "perhaps"]))
JURY = {"jurors": [{"model": "a"}, {"model": "b"}, {"model": "c"}]}
JUDGED = {"judge": {"models": ["judge"], "timeout_s": 2}}
TWO_TIERS = {
    "pattern": "route",
    "min_adequacy": 0.01,
    "tiers": [
        {"name": "small", "jurors": [{"model": "small"}]},
        {"name": "large", "jurors": [{"model": "large"}]},
    ],
    **JUDGED,
}
ANSWERED = manifest_pb2.OUTCOME_ANSWERED


def parts(manifest, stage=manifest_pb2.STAGE_JURY):
    """Status and reason by name."""
    return {
        part.name: (manifest_pb2.ParticipationStatus.Name(part.status)[21:], part.reason)
        for part in manifest.participations
        if part.stage == stage
    }


async def test_answers_and_says_who_took_part(serve):
    gateway = await serve({**JURY, **JUDGED}, {"judge": PASS})

    reply = await gateway.ask(labels={"team": "a"})

    assert ("4", ANSWERED, False, False) == (
        reply.answer.text,
        reply.outcome,
        reply.unjudged,
        reply.degraded,
    )
    manifest = reply.manifest
    assert dict.fromkeys("abc", ("ANSWERED", "")) == parts(manifest)
    assert {1, 2, 3, 4} == {part.stage for part in manifest.participations}
    tiers = {p.tier for p in manifest.participations if p.stage != manifest_pb2.STAGE_ROUTER}
    assert {manifest.tallies[0].tier} == {manifest.verdicts[0].tier} == tiers
    assert manifest.route.tiers[0].name in tiers
    assert (4, 40, 8) == (
        manifest.model_calls,
        manifest.usage.input_tokens,
        manifest.usage.output_tokens,
    )
    assert 0.048 == pytest.approx(manifest.cost_usd)
    assert ({"team": "a"}, 64) == (dict(manifest.labels), len(manifest.config_sha256))
    assert manifest == await gateway.manifest(reply.request_id)


async def test_without_a_judge_an_answer_is_unjudged(serve):
    gateway = await serve(JURY)

    reply = await gateway.ask()

    assert (ANSWERED, True, []) == (reply.outcome, reply.unjudged, list(reply.manifest.verdicts))


async def test_the_majority_of_structured_answers_decides(serve):
    script = {"a": Reply(text="Yes"), "b": Reply(text="no"), "c": Reply(text=" yes ")}
    gateway = await serve(JURY, script)

    reply = await gateway.ask("Is 7 prime?", shape=LABELS)

    assert ("yes", ANSWERED) == (reply.answer.text.strip().lower(), reply.outcome)
    assert [2, 1] == [len(voted.jurors) for voted in reply.manifest.tallies[0].classes]


async def test_jurors_who_disagree_give_no_answer(serve):
    script = {"a": Reply(text="yes"), "b": Reply(text="no"), "c": Reply(text="perhaps")}
    gateway = await serve(JURY, script)

    reply = await gateway.ask("Is it art?", shape=LABELS)

    assert (manifest_pb2.OUTCOME_NO_CONSENSUS, False) == (reply.outcome, reply.HasField("answer"))
    assert 3 == len(reply.manifest.answers)


@pytest.mark.parametrize(
    ("model", "status"),
    [
        ("hang", {"CANCELLED", "TIMED_OUT"}),
        ("http-500", {"CANCELLED", "FAILED"}),  # it is asked again, which may take longer
        ("cut-off", {"CANCELLED", "FAILED"}),
        ("empty", {"UNUSABLE"}),
        ("thinking", {"UNUSABLE"}),
    ],
)
async def test_one_bad_juror_costs_neither_the_answer_nor_the_deadline(serve, model, status):
    gateway = await serve({"jurors": [{"model": "a"}, {"model": "b"}, {"model": model}]})
    began_s = time.monotonic()

    reply = await gateway.ask(timeout_s=5)

    assert time.monotonic() - began_s < 5
    assert ("4", ANSWERED) == (reply.answer.text, reply.outcome)
    assert parts(reply.manifest)[model][0] in status
    assert parts(reply.manifest)[model][1]


async def test_a_hung_cheap_tier_leaves_time_for_the_next(serve):
    ensemble = {
        **TWO_TIERS,
        "tiers": [
            {"name": "small", "jurors": [{"model": "hang", "timeout_s": 60}]},
            {"name": "large", "jurors": [{"model": "large"}]},
        ],
    }
    gateway = await serve(ensemble, {"judge": PASS})

    reply = await gateway.ask(timeout_s=5)

    assert ("4", ANSWERED) == (reply.answer.text, reply.outcome)
    assert ["hang", "large"] == list(parts(reply.manifest))


async def test_too_few_answers_are_an_error_that_keeps_what_there_was(serve):
    gateway = await serve(
        {"jurors": [{"model": "a"}, {"model": "http-500"}, {"model": "empty"}]},
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(request_id="few")

    assert (grpc.StatusCode.ABORTED, "QUORUM_NOT_REACHED", "few") == (
        caught.value.code(),
        reason(caught.value),
        request_id(caught.value),
    )
    manifest = await gateway.manifest("few")
    assert (["4"], "QUORUM_NOT_REACHED") == (
        [answer.text for answer in manifest.answers],
        manifest.error.reason,
    )
    assert (4, True) == (manifest.model_calls, manifest.cost_usd > 0)


async def test_an_answer_that_fails_goes_to_the_next_tier(serve):
    script = {"small": Reply(text="5"), "judge": [FAIL, PASS]}
    gateway = await serve(TWO_TIERS, script)

    reply = await gateway.ask()

    assert ("4", "large", ANSWERED) == (
        reply.answer.text,
        reply.manifest.chosen_juror,
        reply.outcome,
    )
    assert ["small", "large"] == [
        part.tier for part in reply.manifest.participations if part.model
    ][::2]
    assert (2, 2) == (len(reply.manifest.verdicts), len(reply.manifest.tallies))


@pytest.mark.parametrize(
    ("delivers", "verdict", "text"),
    [(False, FAIL, ""), (True, FAIL, "4"), (True, UNSAFE, "")],
    ids=["kept", "delivered", "unsafe"],
)
async def test_an_answer_that_fails_everywhere_is_rejected(serve, delivers, verdict, text):
    gateway = await serve({**TWO_TIERS, "deliver_rejected": delivers}, {"judge": verdict})

    reply = await gateway.ask()

    assert (manifest_pb2.OUTCOME_REJECTED, text) == (reply.outcome, reply.answer.text)


async def test_a_judge_that_writes_prose_leaves_the_answer_unjudged(serve):
    gateway = await serve({**JURY, **JUDGED}, {"judge": PROSE})

    reply = await gateway.ask()

    assert (ANSWERED, True, False) == (reply.outcome, reply.unjudged, reply.degraded)
    assert manifest_pb2.VERDICT_KIND_UNJUDGED == reply.manifest.verdicts[0].kind


async def test_a_judge_that_hangs_leaves_the_answer_unjudged(serve):
    gateway = await serve({**JURY, "judge": {"models": ["hang"], "timeout_s": 0.2}})

    reply = await gateway.ask()

    assert ("4", ANSWERED, True) == (reply.answer.text, reply.outcome, reply.unjudged)


async def test_checks_reject_an_answer_without_any_judge_model(serve):
    refusal = Reply(text="I'm sorry, but I cannot help with that.")
    gateway = await serve({"jurors": [{"model": "a"}], "judge": {}}, {"a": refusal})

    reply = await gateway.ask()

    assert manifest_pb2.OUTCOME_REJECTED == reply.outcome
    assert {"": ("ANSWERED", "")} == parts(reply.manifest, manifest_pb2.STAGE_JUDGE)


async def test_one_model_asked_three_ways_is_a_self_ensemble(serve):
    jurors = [{"model": "a", "name": name, "instruction": name} for name in ("x", "y", "z")]
    gateway = await serve({"jurors": jurors})

    assert (await gateway.ask()).manifest.self_ensemble


async def test_refuses_a_call_without_a_deadline(serve):
    gateway = await serve(JURY)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(timeout_s=None, request_id="endless")

    assert (grpc.StatusCode.INVALID_ARGUMENT, "DEADLINE_MISSING", "endless") == (
        caught.value.code(),
        reason(caught.value),
        request_id(caught.value),
    )


async def test_an_ensemble_may_name_a_default_deadline(serve):
    gateway = await serve({**JURY, "default_timeout_s": 5})

    reply = await gateway.ask(timeout_s=None)

    assert ANSWERED == reply.outcome
    assert 4 <= reply.manifest.timeout.seconds <= 5


async def test_a_blank_prompt_is_the_callers_mistake(serve):
    gateway = await serve(JURY)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask("  ")

    assert (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST") == (
        caught.value.code(),
        reason(caught.value),
    )
    assert request_id(caught.value)


async def test_an_unknown_ensemble_names_the_known_ones(serve):
    gateway = await serve(JURY)
    with pytest.raises(grpc.aio.AioRpcError, match="main") as caught:
        await gateway.ask(ensemble="mian")

    assert (grpc.StatusCode.NOT_FOUND, "UNKNOWN_ENSEMBLE") == (
        caught.value.code(),
        reason(caught.value),
    )


async def test_a_caller_who_leaves_stops_the_models_and_leaves_a_record(serve):
    gateway = await serve({"jurors": [{"model": "hang", "timeout_s": 30}]})
    call = gateway.stub.Ask(request("?", request_id="gone"), timeout=20)
    await gateway.provider.until(lambda: gateway.provider.running == 1)
    call.cancel()
    await gateway.provider.until(lambda: gateway.provider.disconnects == 1)

    manifest = await gateway.settled("gone")

    assert {"hang": ("CANCELLED", "CANCELLED")} == parts(manifest)
    assert (2, True) == (manifest.model_calls, manifest.cost_usd > 0.0)
    assert ("CANCELLED", manifest_pb2.MANIFEST_STATE_FAILED) == (
        manifest.error.reason,
        manifest.state,
    )
