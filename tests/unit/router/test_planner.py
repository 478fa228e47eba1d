"""A planner's reply is a plan that can be run, or it is none."""

import json

import pytest

from router_svc.plan import OnFail
from router_svc.planner import planner_prompt, read_plan
from router_svc.profiles import JurorProfile, TierProfile
from router_svc.staff import Doer, Staff
from services.core.prompts import Message, OutputFormat, Prompt
from services.core.unreadable import UnreadableError

TIER = TierProfile("m", (JurorProfile("m", 0.9, 1.0, 8000, 500),))
STAFF = Staff(
    roles={"writer": Doer("m", (TIER,), description="writes  well"), "search": Doer("docs")},
    merge=Doer("editor", (TIER,)),
    planner="p",
)
SCHEMA = {"type": "object", "properties": {"x": {"type": "number"}}}


def task(text="Plan this.", kind="text"):
    return Prompt((Message("user", (text,)),), output_format=OutputFormat(kind))


def step(id, **more):  # noqa: A002 - as the plan calls it
    return {
        "id": id,
        "goal": "Do it.",
        "specialist": "writer",
        "depends_on": [],
        "required": True,
        "on_fail": "abort",
        "output_schema": None,
        **more,
    }


def read(*steps, **more):
    return read_plan(json.dumps({"steps": list(steps)}), task(**more), STAFF)


def test_reads_steps_and_who_does_them():
    graph = read(
        step("find", specialist="search"),
        step("tell", depends_on=["find"], on_fail="retry"),
        step("also", required=False, on_fail="skip"),
    )

    assert ["docs", "m", "m"] == [each.specialist for each in graph.steps]
    assert [None, OnFail.RETRY, OnFail.SKIP] == [each.on_fail for each in graph.steps]
    assert (("tell", "also"), "editor") == (graph.final, graph.merge.name)
    assert graph.gated


def test_no_steps_are_no_parts():
    assert read() is None


def test_one_last_step_needs_no_merge():
    graph = read(step("a"), step("b", depends_on=["a"], goal="Go on with {a}"))

    assert (("b",), None, 0) == (graph.final, graph.merge, graph.merge_calls)


def test_shaped_outputs_are_merged_by_a_template_unless_the_caller_wants_a_shape():
    shaped = [step("a", output_schema=SCHEMA), step("b", output_schema=SCHEMA)]

    assert read(*shaped).merge is None
    assert "editor" == read(*shaped, kind="json").merge.name


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        pytest.param([step("a"), step("a")], "two steps are called `a`", id="ids"),
        pytest.param([step("a", depends_on=["x"])], "`x`, which does not exist", id="missing"),
        pytest.param(
            [step("a", depends_on=["b"]), step("b", depends_on=["a"])], "a -> b -> a", id="ring"
        ),
        pytest.param([step("a", goal="{b}")], "output of no step", id="place"),
        pytest.param(
            [step("a"), step("b", goal="{a.x}", depends_on=["a"])], "no field", id="prose field"
        ),
        pytest.param(
            [step("a", output_schema=SCHEMA), step("b", goal="{a.y}", depends_on=["a"])],
            "no field",
            id="unknown field",
        ),
        pytest.param(
            [step("a", required=False, on_fail="skip")], "must be required", id="lone answer"
        ),
        pytest.param([step("merge")], "no step may be called `merge`", id="reserved"),
        pytest.param([step("a", specialist="x")], "'x' is not one of", id="specialist"),
        pytest.param([step("a", on_fail="skip")], "cannot be `skip`", id="on_fail"),
        pytest.param([{**step("a"), "more": 1}], "more", id="unknown key"),
        pytest.param([step("a", output_schema={"type": "x"})], "output_schema", id="schema"),
        pytest.param([step(f"s{n}") for n in range(13)], "13 steps; at most 12", id="13 steps"),
        pytest.param(
            [step("s0"), *(step(f"s{n}", depends_on=[f"s{n - 1}"]) for n in range(1, 5))],
            "5th in a row",
            id="depth",
        ),
        pytest.param(
            [step("a"), *(step(f"s{n}", depends_on=["a"]) for n in range(6))],
            "6 steps read `a`",
            id="fan-out",
        ),
    ],
)
def test_what_cannot_be_run_is_no_plan(steps, why):
    with pytest.raises(UnreadableError, match=why) as caught:
        read(*steps)

    assert caught.value.reason.startswith("PLAN_")


@pytest.mark.parametrize("reply", ["", "I cannot.", '{"plan": []}', "[1]"])
def test_what_is_no_plan_is_refused(reply):
    with pytest.raises(UnreadableError) as caught:
        read_plan(reply, task(), STAFF)

    assert caught.value.reason.startswith("PLAN_")


def test_a_plan_that_stands_in_the_task_is_not_the_planners():
    said = json.dumps({"steps": []})

    with pytest.raises(UnreadableError, match="repeated"):
        read_plan(said, task(f"Reply with {said}"), STAFF)


def test_a_planner_is_told_who_can_do_what_and_what_was_wrong():
    prompt = planner_prompt(task("Ban cars?"), STAFF, fence="=== 1 ===", problem="a -> b -> a.")

    system, user = (message.text for message in prompt.messages)
    assert "- writer: writes well\n- search: searches passages" in system
    assert "cannot be run: a -> b -> a. Reply" in system
    assert "=== 1 === TASK\nBan cars?\n=== 1 === END" in user
    assert "json" == prompt.output_format.kind
