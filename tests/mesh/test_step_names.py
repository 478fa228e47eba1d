"""What a manifest tells of a graph stands in the order of the plan, under the steps' names."""

import pytest

from gremium.v1 import manifest_pb2
from tests.mesh.graphs import DIAMOND, PASS, serving, specialists
from tests.upstream import Reply

PANEL = {
    "pattern": "jury",
    "jurors": [{"model": "a"}, {"model": "b"}],
    "judge": {"models": ["j"]},
}
TIERS = [
    {"name": "small", "jurors": [{"model": "unsure"}, {"model": "unlike"}], "quorum": 2},
    {"name": "large", "jurors": [{"model": "b"}]},
]
LADDER = {"pattern": "cascade", "tiers": TIERS, "accept_at": 0.9}


@pytest.fixture
async def serve(transport, tmp_path):
    async with serving(transport, tmp_path) as start:
        yield start


async def test_takes_part_in_the_order_of_the_plan_whoever_is_done_first(serve):
    steps = {
        "panel": {"ensemble": "panel"},
        "risks": {"model": "risks"},
        "answer": {"model": "writer", "depends_on": ["panel", "risks"]},
    }
    script = {"a": Reply(delay_s=0.4), "j": PASS}
    gateway = await serve({**specialists(steps, judge={"models": ["j"]}), "panel": PANEL}, script)

    manifest = (await gateway.ask()).manifest

    parts = manifest.participations
    assert ["", "panel", "risks", "answer", "merge"] == list(dict.fromkeys(p.tier for p in parts))
    for step in ("panel", "answer"):
        began = [p.start_time.ToNanoseconds() for p in parts if p.tier == step]
        assert sorted(began) == began
    assert ["panel", "risks", "answer"] == list(dict.fromkeys(a.step for a in manifest.answers))
    assert ["panel", "risks", "answer"] == [tally.tier for tally in manifest.tallies]
    assert ["panel", "merge"] == [verdict.tier for verdict in manifest.verdicts]


async def test_a_failed_request_keeps_the_order_of_the_plan(serve):
    steps = {**DIAMOND, "risks": {"model": "risks"}, "answer": {**DIAMOND["answer"]}}
    steps["answer"]["model"] = "http-500"
    gateway = await serve(specialists(steps), {"facts": Reply(delay_s=0.3)})

    with pytest.raises(Exception, match="0 of 1"):
        await gateway.ask(request_id="lost")

    parts = (await gateway.settled("lost")).participations
    assert ["", *DIAMOND] == list(dict.fromkeys(part.tier for part in parts))


async def test_what_a_nested_ensemble_did_carries_the_name_of_its_step(serve):
    steps = {
        "vote": {"ensemble": "panel"},
        "climb": {"ensemble": "ladder", "output_format": {"labels": ["yes", "no"]}},
        "answer": {"model": "writer", "depends_on": ["vote", "climb"]},
    }
    yes, no = Reply(text="yes"), Reply(text="no")
    script = {"a": yes, "b": yes, "unsure": yes, "unlike": no}
    ensembles = {**specialists(steps), "panel": PANEL, "ladder": LADDER}
    gateway = await serve(ensembles, {**script, "j": PASS})

    reply = await gateway.ask()

    manifest = reply.manifest
    by_step = {step: [a.juror for a in manifest.answers if a.step == step] for step in steps}
    voted, climbed = ["a", "b"], ["unsure", "unlike", "b"]
    assert {"vote": voted, "climb": climbed, "answer": ["answer"]} == by_step
    assert ["vote"] == [verdict.tier for verdict in manifest.verdicts]
    assert ["vote", "climb", "climb", "answer"] == [tally.tier for tally in manifest.tallies]
    (escalation,) = manifest.escalations
    assert ("climb", "small", "large") == (
        escalation.step,
        escalation.from_tier,
        escalation.to_tier,
    )
    asked = [p for p in manifest.participations if p.stage == manifest_pb2.STAGE_JURY]
    assert {"vote": 2, "climb": 3, "answer": 1} == {
        step: sum(p.tier == step for p in asked) for step in steps
    }
    assert "answer" == reply.answer.step
