"""What a step gives is checked, and what fails is asked again, replaced, or left out."""

import pytest

from gremium.v1 import manifest_pb2
from tests.mesh.graphs import FACTS, RISKS, asked, serving, specialists
from tests.mesh.test_lost_steps import failed
from tests.upstream import Reply

REFUSES = Reply(text="I'm sorry, but I can't help with that.")
WRONG = Reply(text="2 + 2 = 5, so there are five.")
SAID = {"writer": Reply(text="Done.")}


@pytest.fixture
async def serve(transport, tmp_path):
    async with serving(transport, tmp_path) as start:
        yield start


def graph(**first):
    return specialists(
        {"facts": {"model": "facts", **first}, "last": {"model": "writer", "depends_on": ["facts"]}}
    )


def steps_of(manifest):
    return {step.id: step for step in manifest.steps}


def status(step):
    return manifest_pb2.ParticipationStatus.Name(step.status)[21:]


async def test_an_output_that_a_check_fails_ends_what_reads_it(serve):
    gateway = await serve(graph(), {"facts": WRONG, **SAID})

    reply = await gateway.ask()

    assert (manifest_pb2.OUTCOME_REJECTED, "") == (reply.outcome, reply.answer.text)
    assert 0 == gateway.provider.calls_of("writer")
    told = steps_of(reply.manifest)
    assert ("FAILED", "SKIPPED") == (status(told["facts"]), status(told["last"]))
    assert "arithmetic" in told["facts"].reason_text
    assert ["facts"] == [verdict.tier for verdict in reply.manifest.verdicts]


async def test_an_optional_output_that_a_check_fails_is_a_note(serve):
    gateway = await serve(graph(required=False), {"facts": REFUSES, **SAID})

    reply = await gateway.ask()

    assert ("Done.", True) == (reply.answer.text, reply.degraded)
    assert "The step `facts` gave nothing: refusal" in asked(gateway, "writer")
    assert REFUSES.text not in asked(gateway, "writer")


async def test_a_step_is_asked_again_and_told_what_was_wrong(serve):
    gateway = await serve(
        graph(on_fail="retry"), {"facts": [WRONG, Reply(text="2 + 2 = 4.")], **SAID}
    )

    reply = await gateway.ask()

    assert "Done." == reply.answer.text
    first, second = [body for body in gateway.provider.requests if body["model"] == "facts"]
    assert "of no use: arithmetic" in second["messages"][-1]["content"]
    assert "of no use" not in first["messages"][-1]["content"]
    told = steps_of(reply.manifest)["facts"]
    assert ("ANSWERED", "retry", 2) == (status(told), told.recovery, told.model_calls)


async def test_another_model_does_what_the_first_one_could_not(serve):
    script = {"other": FACTS, **SAID}
    ensembles = graph(model="http-500", on_fail="fallback", fallback="other")
    gateway = await serve(ensembles, script)

    reply = await gateway.ask()

    assert "Bees fly." in asked(gateway, "writer")
    told = steps_of(reply.manifest)["facts"]
    assert ("ANSWERED", "fallback", False) == (status(told), told.recovery, reply.degraded)


async def test_a_second_failure_is_the_steps_own(serve):
    gateway = await serve(graph(on_fail="retry"), {"facts": WRONG, **SAID})

    reply = await gateway.ask()

    assert manifest_pb2.OUTCOME_REJECTED == reply.outcome
    assert 2 == gateway.provider.calls_of("facts")


async def test_without_a_judge_outputs_go_unchecked_and_the_answer_says_so(serve):
    gateway = await serve(graph(), {"facts": WRONG, **SAID}, hung={"judge"})

    reply = await gateway.ask(timeout_s=4.0)

    assert ("Done.", True) == (reply.answer.text, reply.degraded)


QUORUM = {
    "a": {"model": "a"},
    "b": {"model": "b"},
    "c": {"model": "c"},
    "last": {"model": "writer", "depends_on": ["a", "b", "c"]},
}


def quorum(needed=2, **more):
    return specialists(QUORUM, quorums=[{"steps": ["a", "b", "c"], "needed": needed, **more}])


async def test_enough_of_a_quorum_is_enough(serve):
    script = {"a": FACTS, "b": Reply(text="", status=500), "c": RISKS, **SAID}
    gateway = await serve(quorum(), script)

    reply = await gateway.ask()

    assert ("Done.", True) == (reply.answer.text, reply.degraded)
    assert "The step `b` gave nothing" in asked(gateway, "writer")


async def test_too_few_of_a_quorum_end_what_reads_them(serve):
    script = {"a": FACTS, "b": WRONG, "c": WRONG, **SAID}
    gateway = await serve(quorum(), script)

    reply = await gateway.ask()

    assert manifest_pb2.OUTCOME_REJECTED == reply.outcome
    assert 0 == gateway.provider.calls_of("writer")


async def test_nobody_waits_for_who_is_late_in_a_quorum_that_is_met(serve):
    script = {"a": FACTS, "b": RISKS, "c": Reply(delay_s=4.0), **SAID}
    gateway = await serve(quorum(grace_s=0.1), script)

    reply = await gateway.ask(timeout_s=9.0)

    assert "Done." == reply.answer.text
    told = steps_of(reply.manifest)
    assert ("SKIPPED", "QUORUM_MET") == (status(told["c"]), told["c"].reason)
    assert told["last"].start_time.ToNanoseconds() - told["c"].start_time.ToNanoseconds() < 3e9


async def test_the_same_question_to_the_same_model_is_asked_once(serve):
    twins = {"one": {"model": "m"}, "two": {"model": "m", "goal": "  {prompt} "}}
    gateway = await serve(specialists(twins, merge={"template": "{one} {two}"}))

    reply = await gateway.ask()

    assert ("4 4", 1) == (reply.answer.text, gateway.provider.calls)
    told = steps_of(reply.manifest)
    assert ("", "one", 0) == (told["one"].same_as, told["two"].same_as, told["two"].model_calls)


async def test_a_field_of_an_output_reaches_its_reader_alone(serve):
    schema = {"type": "object", "properties": {"city": {}, "size": {}}}
    steps = {
        "facts": {"model": "facts", "output_format": {"json_schema": schema}},
        "last": {"model": "writer", "depends_on": ["facts"], "goal": "Describe {facts.city}."},
    }
    gateway = await serve(
        specialists(steps), {"facts": Reply(text='{"city": "Lima", "size": 10}'), **SAID}
    )

    await gateway.ask()

    assert "Lima" in asked(gateway, "writer")
    assert "size" not in asked(gateway, "writer")


async def test_the_manifest_shows_the_graph(serve):
    twins = {"one": {"model": "a"}, "two": {"model": "b", "required": False}}
    gateway = await serve(specialists(twins, merge={"model": "writer"}), SAID)

    reply = await gateway.ask()

    told = steps_of(reply.manifest)
    assert ["one", "two", "merge"] == list(told)
    assert (["one", "two"], "writer") == (list(told["merge"].depends_on), told["merge"].specialist)
    assert [True, False, True] == [step.required for step in told.values()]
    assert pytest.approx(reply.manifest.cost_usd) == sum(s.cost_usd for s in told.values())
    assert all(step.duration.ToNanoseconds() > 0 for step in told.values())
    assert ["one", "two"] == [step.id for step in reply.manifest.plan.steps]
    assert {""} == {step.goal for step in reply.manifest.plan.steps}


async def test_steps_of_a_nested_graph_stand_behind_who_asked_it(serve):
    inner = specialists({"deep": {"model": "a"}})["main"]
    steps = {"outer": {"ensemble": "inner"}, "last": {"model": "writer", "depends_on": ["outer"]}}
    gateway = await serve({**specialists(steps), "inner": inner})

    reply = await gateway.ask()

    assert ["outer", "outer/deep", "last"] == [step.id for step in reply.manifest.steps]


async def test_a_step_that_fails_with_its_request_is_told_of(serve):
    gateway = await serve(graph(model="http-500"), SAID)

    _, manifest = await failed(gateway)

    told = steps_of(manifest)
    assert ("FAILED", "QUORUM_NOT_REACHED") == (status(told["facts"]), told["facts"].reason)
    assert "it reads `facts`" in told["last"].reason_text
