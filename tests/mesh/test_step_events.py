"""Whoever follows a graph of steps is told what its manifest tells, and of which step it is."""

import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.cli.telling import chosen_texts
from tests.mesh.graphs import DIAMOND, PASS, serving, specialists
from tests.mesh.meshes import request
from tests.mesh.test_step_names import LADDER, PANEL
from tests.upstream import Reply

ECHO = {"pattern": "jury", "jurors": [{"model": "m", "name": "echo"}]}
TWICE = {
    "left": {"ensemble": "echo", "goal": "alfa"},
    "right": {"ensemble": "echo", "goal": "beta"},
}
BOTH = {"template": "{left} {right}"}
JUROR = ("juror_started", "juror_delta", "juror_settled")


@pytest.fixture
async def serve(transport, tmp_path):
    async with serving(transport, tmp_path) as start:
        yield start


async def told(gateway, **fields):
    asked = ensemble_pb2.AskStreamRequest(ask=request("What is 2 + 2?", **fields))
    return [event async for event in gateway.stub.AskStream(asked, timeout=10)]


def kind(event):
    return event.WhichOneof("event")


def of(events, *kinds):
    """What events of some kinds tell, with their steps."""
    return [(event.step, getattr(event, kind(event))) for event in events if kind(event) in kinds]


def repeats(body):
    word = "alfa" if "alfa" in str(body["messages"]) else "beta"
    return Reply(text=f"{word} " * 40, token_delay_s=0.005)


async def test_words_of_steps_with_the_same_juror_do_not_mix(serve):
    ensembles = {**specialists(TWICE, merge=BOTH), "echo": ECHO}
    gateway = await serve(ensembles, {"m": repeats})

    events = await told(gateway)

    wrote = {"left": "", "right": ""}
    for step, delta in of(events, "juror_delta"):
        wrote[step] += delta.text
    assert {"left": {"alfa"}, "right": {"beta"}} == {s: set(t.split()) for s, t in wrote.items()}
    assert {("left", "jury"), ("right", "jury")} == {
        (event.step, event.tier) for event in events if kind(event) in JUROR
    }


async def test_words_of_tiers_with_the_same_juror_do_not_mix(serve):
    tiers = [
        {"name": name, "jurors": [{"model": name, "name": "echo"}]} for name in ("small", "large")
    ]
    script = {name: Reply(text=name, token_delay_s=0.01) for name in ("small", "large")}
    gateway = await serve({"main": {"pattern": "cascade", "tiers": tiers}}, script)

    events = await told(gateway)

    words = [(event.tier, event.juror_delta.text) for event in events if kind(event) == JUROR[1]]
    assert [("small", "small"), ("large", "large")] == words
    assert ["large"] == chosen_texts(events[-1].final.manifest)


async def test_tells_what_nested_ensembles_did_as_the_manifest_does(serve):
    steps = {
        "vote": {"ensemble": "panel"},
        "climb": {"ensemble": "ladder", "output_format": {"labels": ["yes", "no"]}},
        "answer": {"model": "writer", "depends_on": ["vote", "climb"]},
    }
    yes, no = Reply(text="yes"), Reply(text="no")
    script = {"a": yes, "b": yes, "unsure": yes, "unlike": no, "j": PASS}
    graph = specialists(steps, judge={"models": ["j"]})
    gateway = await serve({**graph, "panel": PANEL, "ladder": LADDER}, script)

    *events, last = await told(gateway)

    manifest = last.final.manifest
    assert sorted(manifest.tallies, key=str) == sorted(
        (t for _, t in of(events, "tallied")), key=str
    )
    assert list(manifest.verdicts) == [verdict for _, verdict in of(events, "judged")]
    assert ["vote", ""] == [step for step, _ in of(events, "judged")]
    assert {"vote", "climb"} == {step for step, _ in of(events, "routed")}
    ((step, escalated),) = of(events, "escalated")
    assert ("climb", "small", "large") == (step, escalated.from_tier, escalated.to_tier)
    settled = [end for _, end in of(events, "juror_settled")]
    jurors = [p for p in manifest.participations if p.stage == manifest_pb2.STAGE_JURY]
    assert sorted(jurors, key=str) == sorted((end.participation for end in settled), key=str)
    assert sorted(manifest.answers, key=str) == sorted((end.answer for end in settled), key=str)


@pytest.mark.parametrize("hung", [(), {"router"}], ids=["planned", "for want of a router"])
async def test_the_plan_comes_first_without_what_steps_are_asked(serve, hung):
    gateway = await serve(specialists(DIAMOND), hung=hung)

    events = await told(gateway)

    assert "planned" == kind(events[0])
    plan = events[0].planned
    assert [("facts", []), ("risks", []), ("answer", ["facts", "risks"])] == [
        (step.id, list(step.depends_on)) for step in plan.steps
    ]
    assert ["facts", "risks", "writer"] == [step.specialist for step in plan.steps]
    assert {""} == {step.goal for step in plan.steps}


async def test_a_search_is_told_with_what_it_found(serve, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/bees.md").write_text("Bees make honey.")
    steps = {
        "search": {"retrieval": {"folder": "docs"}},
        "answer": {"model": "writer", "goal": "{prompt} {search}", "depends_on": ["search"]},
    }
    gateway = await serve(specialists(steps))

    events = await told(gateway)

    ((step, searched),) = of(events, "searched")
    manifest = events[-1].final.manifest
    assert "search" == step
    assert list(manifest.passages) == list(searched.passages)
    assert searched.participation in manifest.participations
    assert ["planned", "searched", "juror_started"] == [kind(event) for event in events[:3]]
    assert "" == events[0].planned.steps[0].specialist


async def test_what_was_lost_or_never_begun_is_told(serve):
    steps = {
        "facts": {"model": "http-500"},
        "search": {"retrieval": {"folder": "none"}, "goal": "{facts}", "depends_on": ["facts"]},
        "risks": {"model": "risks", "goal": "{facts}", "depends_on": ["facts"]},
        "answer": {
            "model": "writer",
            "goal": "{risks} {search}",
            "depends_on": ["risks", "search"],
        },
    }
    gateway = await serve(specialists(steps))

    events = await told(gateway)

    skipped = manifest_pb2.PARTICIPATION_STATUS_SKIPPED
    told_of = of(events, "juror_settled", "searched")
    lost = {step: told.participation for step, told in told_of}
    assert {"facts", "search", "risks", "answer"} == set(lost)
    assert {"search", "risks", "answer"} == {s for s, p in lost.items() if p.status == skipped}
    assert "error" == kind(events[-1])


async def test_steps_of_a_nested_graph_are_told_by_their_path(serve):
    ensembles = {
        **specialists({"out": {"ensemble": "graph"}}),
        "graph": {"pattern": "specialists", "steps": TWICE, "merge": BOTH},
        "echo": ECHO,
    }
    gateway = await serve(ensembles, {"m": repeats})

    events = await told(gateway)

    assert ["", "out"] == [step for step, _ in of(events, "planned")]
    assert {"out/left", "out/right"} == {step for step, _ in of(events, *JUROR)}
    settled = [end.participation for _, end in of(events, "juror_settled")]
    assert {"out"} == {part.tier for part in settled}
    assert [events[-1].final.answer.text] == chosen_texts(events[-1].final.manifest)


async def test_the_chosen_answer_is_found_among_steps_with_the_same_juror(serve):
    steps = {**TWICE, "right": {**TWICE["right"], "depends_on": ["left"]}}
    gateway = await serve(
        {**specialists(steps), "echo": ECHO}, {"m": [Reply("alfa"), Reply("beta")]}
    )

    reply = await gateway.ask()

    assert ["beta"] == [reply.answer.text] == chosen_texts(reply.manifest)
