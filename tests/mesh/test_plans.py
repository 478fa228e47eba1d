"""A task is cut where that is predicted to pay, and answered whole everywhere else."""

import json

import pytest

from gremium.v1 import manifest_pb2, router_pb2, types_pb2
from tests.mesh.graphs import asked, models_of, serving
from tests.upstream import Reply

QUESTION = "1. What is the capital of France?\n2. Who wrote Emma?"
VAGUE = "Prove step by step that every plan of war fails, derive why, and justify each claim."
STRONG = {"strong": {"adequacy": 0.97}, "weak": {"adequacy": 0.3}}
TEAM = {
    "pattern": "specialists",
    "specialists": {
        "poet": {"model": "weak", "description": "rhymes"},
        "scholar": {"model": "strong", "description": "knows books"},
    },
    "direct": {"model": "single"},
    "merge": {"model": "editor", "goal": "Join the parts into one answer to: {prompt}"},
}
PLANNED = {**TEAM, "planner": {"model": "planner", "timeout_s": 5.0}}


@pytest.fixture
async def serve(transport, tmp_path):
    async with serving(transport, tmp_path) as start:

        async def team(ensemble, script=None, *, single=0.3, **more):
            priors = {
                **STRONG,
                "single": {"adequacy": single},
                "editor": {"adequacy": 0.97},
            }
            known = {name: priors[name] for name in models_of(ensemble) if name in priors}
            return await start({"main": ensemble}, script, **known, **more)

        yield team


def step(id, **more):  # noqa: A002 - as the plan calls it
    return {
        "id": id,
        "goal": f"Do {id} of {{prompt}}",
        "specialist": "scholar",
        "depends_on": [],
        "required": True,
        "on_fail": "abort",
        "output_schema": None,
        **more,
    }


def written(*steps):
    return Reply(text=json.dumps({"steps": list(steps)}))


def planner_parts(manifest):
    return [p for p in manifest.participations if p.name == "planner"]


def ids(manifest):
    return [each.id for each in manifest.steps]


async def test_parts_that_rules_find_are_done_at_once_and_joined(serve):
    script = {"strong": [Reply(text="Paris."), Reply(text="Austen.")], "editor": Reply(text="Both")}
    gateway = await serve(TEAM, script)

    reply = await gateway.ask(QUESTION)

    assert "Both" == reply.answer.text
    plan = reply.manifest.plan
    assert (router_pb2.PLAN_ORIGIN_RULES, True) == (plan.origin, plan.gate.pays)
    assert ["part1", "part2", "merge"] == ids(reply.manifest)
    assert {"scholar"} == {each.role for each in plan.steps}
    bodies = [b["messages"][-1]["content"] for b in gateway.provider.requests]
    assert sum(text.endswith("nothing else: Who wrote Emma?") for text in bodies) == 1
    assert "How likely each output is right, from 0 to 1: part1 0.9" in asked(gateway, "editor")
    assert 0 == gateway.provider.calls_of("single")


async def test_where_one_call_is_good_enough_it_is_made(serve):
    gateway = await serve(PLANNED, single=0.9)

    reply = await gateway.ask(QUESTION)

    assert ("4", 1) == (reply.answer.text, gateway.provider.calls)
    plan = reply.manifest.plan
    assert (router_pb2.PLAN_ORIGIN_DIRECT, False) == (plan.origin, plan.gate.pays)
    assert plan.reason_text.startswith("not cut: one call is predicted adequate at 0.9")
    assert QUESTION == asked(gateway, "single")


async def test_the_planner_is_not_asked_where_one_call_is_good_enough(serve):
    gateway = await serve(PLANNED, single=0.97)

    reply = await gateway.ask("Tell me of bees.")

    assert 0 == gateway.provider.calls_of("planner")
    assert "the planner is not asked: one call" in reply.manifest.plan.reason_text


async def test_a_planner_cuts_what_rules_do_not(serve):
    script = {"planner": written(step("a"), step("b")), "editor": Reply(text="Both")}
    gateway = await serve(PLANNED, script, single=0.2)

    reply = await gateway.ask(VAGUE, budget=types_pb2.Budget(max_model_calls=4))

    assert ("Both", router_pb2.PLAN_ORIGIN_PLANNER) == (
        reply.answer.text,
        reply.manifest.plan.origin,
    )
    assert ["a", "b", "merge"] == ids(reply.manifest)
    (part,) = planner_parts(reply.manifest)
    assert (manifest_pb2.STAGE_ROUTER, "ANSWERED", 1) == (
        part.stage,
        manifest_pb2.ParticipationStatus.Name(part.status)[21:],
        part.model_calls,
    )
    assert 4 == reply.manifest.model_calls
    assert pytest.approx(reply.manifest.cost_usd) == sum(
        each.cost_usd for each in reply.manifest.participations
    )
    assert "scholar: knows books" in asked(gateway, "planner")


async def test_a_plan_that_cannot_be_run_is_repaired_once(serve):
    ring = written(step("a", depends_on=["b"]), step("b", depends_on=["a"]))
    script = {"planner": [ring, written(step("a"), step("b"))]}
    gateway = await serve(PLANNED, script, single=0.2)

    reply = await gateway.ask(VAGUE)

    assert router_pb2.PLAN_ORIGIN_PLANNER == reply.manifest.plan.origin
    first, second = planner_parts(reply.manifest)
    assert ("PLAN_INVALID", "") == (first.reason, second.reason)
    assert "a -> b -> a" in first.reason_text
    repair = gateway.provider.requests[1]["messages"][0]["content"]
    assert "cannot be run: the steps wait for each other: a -> b -> a" in repair


@pytest.mark.parametrize(
    ("said", "calls"),
    [
        pytest.param(Reply(text="I would rather not."), 2, id="no plan"),
        pytest.param(written(step("a", specialist="nobody")), 2, id="nobody"),
        pytest.param(written(step("a", goal="{else}")), 2, id="no such output"),
        pytest.param(Reply(status=400), 1, id="fails"),
    ],
)
async def test_without_a_plan_one_call_answers_and_the_manifest_says_so(serve, said, calls):
    gateway = await serve(PLANNED, {"planner": said}, single=0.2)

    reply = await gateway.ask(VAGUE)

    assert ("4", False) == (reply.answer.text, reply.degraded)
    assert ["direct"] == ids(reply.manifest)
    assert calls == len(planner_parts(reply.manifest))
    told = reply.manifest.plan.reason_text
    assert told.startswith("answered whole: the planner gave no plan that can be run")
    assert (calls == 2) == ("nor did its repair" in told)


async def test_steps_in_a_row_do_not_pay(serve):
    chain = written(step("a"), step("b", depends_on=["a"], goal="Go on with {a}"))
    gateway = await serve(PLANNED, {"planner": chain}, single=0.2)

    reply = await gateway.ask(VAGUE)

    assert ["direct"] == ids(reply.manifest)
    assert "speeds up 1.0" in reply.manifest.plan.reason_text
    assert 2 == reply.manifest.model_calls


async def test_shaped_outputs_are_joined_without_a_model(serve):
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    plan = written(step("a", output_schema=schema), step("b", output_schema=schema))
    script = {"planner": plan, "strong": Reply(text='{"x": 1}')}
    gateway = await serve(PLANNED, script, single=0.2)

    reply = await gateway.ask(VAGUE)

    assert 'a: {"x": 1}\nb: {"x": 1}' == reply.answer.text
    assert 0 == gateway.provider.calls_of("editor")


async def test_a_hung_planner_leaves_time_to_answer(serve):
    gateway = await serve(PLANNED, {"planner": Reply(hang=True)}, single=0.2)

    reply = await gateway.ask(VAGUE, timeout_s=6.0)

    assert "4" == reply.answer.text
    assert ["direct"] == ids(reply.manifest)


async def test_for_want_of_a_router_the_question_is_answered_whole(serve, transport, tmp_path):
    async with serving(transport, tmp_path) as start:
        gateway = await start({"main": TEAM}, hung={"router"})

        reply = await gateway.ask(QUESTION, timeout_s=5.0)

    assert ("4", True, ["direct"]) == (reply.answer.text, reply.degraded, ids(reply.manifest))


async def test_tools_and_labels_are_for_one_call(serve):
    gateway = await serve(TEAM)
    labels = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["4", "5"]))

    reply = await gateway.ask(QUESTION, shape=labels)

    assert ["direct"] == ids(reply.manifest)
    assert "has no parts" in reply.manifest.plan.reason_text


STATIC = {
    "pattern": "specialists",
    "steps": {"a": {"model": "strong", "goal": "One"}, "b": {"model": "strong", "goal": "Two"}},
    "merge": {"template": "{a} {b}"},
}


async def test_configured_steps_run_whatever_is_asked(serve):
    reply = await (await serve(STATIC)).ask("Hi")

    assert "4 4" == reply.answer.text
    assert router_pb2.PLAN_ORIGIN_CONFIG == reply.manifest.plan.origin
    assert not reply.manifest.plan.HasField("gate")


@pytest.mark.parametrize(("single", "answer"), [(0.9, "whole"), (0.2, "4 4")])
async def test_configured_steps_with_a_gate_run_where_they_pay(serve, single, answer):
    gated = {**STATIC, "gate": True, "direct": {"model": "single"}}
    gateway = await serve(gated, {"single": Reply(text="whole")}, single=single)

    reply = await gateway.ask("Hi")

    assert answer == reply.answer.text
    assert reply.manifest.plan.HasField("gate")


async def test_a_router_that_is_lost_while_it_plans_leaves_the_steps_their_budget(serve):
    gateway = await serve(PLANNED, hung={"router"}, single=0.2)
    budget = types_pb2.Budget(max_model_calls=3, max_tokens=90_000)

    reply = await gateway.ask(VAGUE, timeout_s=5.0, budget=budget)

    assert ("4", True) == (reply.answer.text, reply.degraded)
    lost = planner_parts(reply.manifest)
    assert (2, True) == (sum(p.model_calls for p in lost), all(p.usage_estimated for p in lost))


async def test_a_planner_that_the_budget_does_not_pay_is_not_asked(serve):
    gateway = await serve(PLANNED, single=0.2)

    reply = await gateway.ask(VAGUE, budget=types_pb2.Budget(max_model_calls=3))

    assert ["direct"] == ids(reply.manifest)
    assert "expected to take 4 model calls; 3 are left" in reply.manifest.plan.reason_text
    assert 1 == gateway.provider.calls
