"""A step that fails or hangs costs those that need it, and nobody else."""

import time

import grpc
import pytest

from gremium.v1 import manifest_pb2
from tests.mesh.graphs import (
    DIAMOND,
    FACTS,
    PASS,
    RISKS,
    asked,
    jury_parts,
    serving,
    specialists,
    statuses,
)
from tests.mesh.meshes import metadata, reason, request_id
from tests.mesh.test_ask import FAIL
from tests.upstream import Reply

BRANCHES = {
    "a": {"model": "http-500"},
    "b": {"model": "b", "depends_on": ["a"]},
    "c": {"model": "c"},
    "d": {"model": "d", "depends_on": ["c"]},
}


@pytest.fixture
async def serve(transport, tmp_path):
    async with serving(transport, tmp_path) as start:
        yield start


async def failed(gateway, **fields):
    """The error that a request ends with, and its manifest."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(**fields)
    return caught.value, await gateway.settled(request_id(caught.value))


async def test_a_required_step_that_fails_takes_only_its_readers_with_it(serve):
    merge = {"template": "{b} {d}"}
    gateway = await serve(specialists(BRANCHES, merge=merge), {"c": Reply(text="C", delay_s=0.3)})

    error, manifest = await failed(gateway)

    assert ("QUORUM_NOT_REACHED", "a") == (reason(error), metadata(error)["step"])
    why = "step `a`: 0 of 1 needed jurors answered: a failed (HTTP_STATUS)"
    assert why == error.details() == manifest.error.message
    expected = {"a": "FAILED", "b": "SKIPPED", "c": "ANSWERED", "d": "ANSWERED"}
    assert expected == statuses(manifest)
    assert "it reads `a`, which gave nothing" == jury_parts(manifest)["b"].reason_text
    assert 0 == gateway.provider.calls_of("b")


async def test_what_other_branches_gave_and_cost_stays_in_the_manifest(serve):
    merge = {"template": "{b} {d}"}
    gateway = await serve(specialists(BRANCHES, merge=merge), {"c": Reply(text="C", delay_s=0.3)})

    _, manifest = await failed(gateway)

    assert {"c": "C", "d": "4"} == {answer.step: answer.text for answer in manifest.answers}
    assert gateway.provider.calls == manifest.model_calls
    parts = jury_parts(manifest)
    assert 0.0 < parts["c"].cost_usd + parts["d"].cost_usd <= manifest.cost_usd


async def test_the_answer_is_made_without_an_optional_step_whose_input_failed(serve):
    steps = {
        "draft": {"model": "writer"},
        "laws": {"model": "http-500"},
        "check": {"model": "checker", "depends_on": ["laws"], "required": False},
    }
    script = {"writer": Reply(text="Draft.")}
    gateway = await serve(specialists(steps, merge={"template": "{draft} {check}"}), script)

    reply = await gateway.ask()

    why = "0 of 1 needed jurors answered: laws failed (HTTP_STATUS)"
    assert f"Draft. ({why})" == reply.answer.text
    assert reply.degraded
    expected = {"draft": "ANSWERED", "laws": "FAILED", "check": "SKIPPED"}
    assert expected == statuses(reply.manifest)


async def test_an_optional_step_that_fails_is_a_note_to_its_readers(serve):
    steps = {**DIAMOND, "risks": {"model": "http-500", "required": False}}
    gateway = await serve(specialists(steps), {"facts": FACTS, "writer": Reply(text="Fine.")})

    reply = await gateway.ask()

    assert ("Fine.", True) == (reply.answer.text, reply.degraded)
    why = "0 of 1 needed jurors answered: risks failed (HTTP_STATUS)"
    assert f"The step `risks` gave nothing: {why})" in asked(gateway, "writer")


@pytest.mark.parametrize("patience_s", [5.0, 600.0])
async def test_a_hung_optional_step_leaves_time_for_the_rest(serve, patience_s):
    steps = {**DIAMOND, "risks": {"model": "hang", "required": False}}
    script = {"writer": Reply(delay_s=0.8)}
    gateway = await serve(
        specialists(steps), script, hang={"timeout_s": patience_s, "expected_latency_s": None}
    )

    began_s = time.monotonic()
    reply = await gateway.ask(timeout_s=4.0)

    assert time.monotonic() - began_s < 4.0
    assert ("4", True) == (reply.answer.text, reply.degraded)
    assert "TIMED_OUT" == statuses(reply.manifest)["risks"]


@pytest.mark.parametrize(
    "usual",
    [{"expected_latency_s": 0.2}, {"expected_latency_s": None}],
    ids=["measured", "unknown"],
)
async def test_a_hung_last_step_is_left_out_and_the_rest_is_judged(serve, usual):
    steps = {"facts": DIAMOND["facts"], "risks": {"model": "hang", "required": False}}
    merge = {"template": "{facts} {risks}"}
    ensembles = specialists(steps, merge=merge, judge={"models": ["j"]})
    gateway = await serve(ensembles, {"facts": FACTS, "j": PASS}, hang=usual)

    reply = await gateway.ask(timeout_s=4.0)

    assert reply.answer.text.startswith("Bees fly. (")
    assert (True, False) == (reply.degraded, reply.unjudged)


async def test_a_hung_ensemble_leaves_time_for_the_steps_behind_it(serve):
    panel = {"pattern": "jury", "jurors": [{"model": "hang"}, {"model": "slow"}], "quorum": 2}
    steps = {**DIAMOND, "risks": {"ensemble": "panel", "required": False}}
    script = {"facts": FACTS, "slow": RISKS}
    gateway = await serve({**specialists(steps), "panel": panel}, script)

    reply = await gateway.ask(timeout_s=4.0)

    assert ("4", True) == (reply.answer.text, reply.degraded)
    assert "Bees fly." in asked(gateway, "writer")
    assert ["Bees sting."] == [a.text for a in reply.manifest.answers if a.step == "risks"]
    assert manifest_pb2.OUTCOME_ANSWERED == reply.outcome


async def test_a_merge_that_fails_is_named(serve):
    steps = {name: DIAMOND[name] for name in ("facts", "risks")}
    gateway = await serve(specialists(steps, merge={"model": "http-500"}))

    error, _ = await failed(gateway)

    assert "merge" == metadata(error)["step"]
    assert error.details().startswith("step `merge`: 0 of 1")


@pytest.mark.parametrize(
    ("panel", "why"),
    [
        ({"jurors": [{"model": "yes"}, {"model": "no"}], "quorum": 2}, "its jurors disagree"),
        ({"jurors": [{"model": "yes"}], "judge": {"models": ["j"]}}, "its answer was rejected"),
    ],
    ids=["no consensus", "rejected"],
)
async def test_an_optional_ensemble_without_an_answer_is_told_in_words(serve, panel, why):
    vote = {"ensemble": "panel", "required": False, "output_format": {"labels": ["yes", "no"]}}
    steps = {"facts": DIAMOND["facts"], "vote": vote}
    ensembles = specialists(steps, merge={"template": "{facts} {vote}"})
    script = {"facts": FACTS, "yes": Reply(text="yes"), "no": Reply(text="no"), "j": FAIL}
    gateway = await serve({**ensembles, "panel": {"pattern": "jury", **panel}}, script)

    assert f"Bees fly. ({why})" == (await gateway.ask()).answer.text
