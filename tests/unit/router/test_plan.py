"""A plan is the configured graph in an order that can be run, or an error that names the step."""

import pytest

from gremium.v1 import router_pb2, types_pb2
from router_svc.catalog import ensemble_profiles
from router_svc.reading import Reader
from router_svc.service import RouterServicer
from services.config.tree import Config
from services.core.deadline import Deadline
from services.core.errors import (
    BudgetSpentError,
    InvalidPlanError,
    InvalidRequestError,
    NoEligibleTierError,
    UnknownEnsembleError,
)
from services.runtime.local import call_local

MODEL = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5.0}
QUESTION = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text="Why?")])
PROMPT = types_pb2.Prompt(messages=[QUESTION])
STEPS = {
    "check": {
        "model": "m",
        "depends_on": ["summary"],
        "output_format": {"labels": ["yes", "no"]},
    },
    "summary": {"model": "m", "goal": "Sum up {search}", "depends_on": ["search"]},
    "search": {"retrieval": {"folder": "docs"}},
    "aside": {"ensemble": "panel", "required": False, "depends_on": ["search"]},
}
MERGE = {"template": "{check} {aside}"}


def servicer(steps, **more):
    panel = {"pattern": "jury", "jurors": [{"model": "m"}]}
    graph = {"pattern": "specialists", "steps": steps, **more}
    config = Config(
        models={"m": MODEL}, ensembles={"main": graph, "panel": panel}, default_ensemble="main"
    )
    return RouterServicer(ensemble_profiles(config), Reader())


async def planned(steps, *, ensemble="main", lease=None, prompt=PROMPT, **more):
    request = router_pb2.PlanRequest(ensemble=ensemble, prompt=prompt, lease=lease)
    method = "/gremium.v1.RouterService/Plan"
    handler = servicer(steps, **more).Plan
    return await call_local(handler, request, deadline=Deadline.after(5.0), method=method)


async def test_orders_the_steps_and_says_who_does_them():
    plan = (await planned(STEPS, merge=MERGE)).plan

    assert ["search", "summary", "aside", "check"] == [step.id for step in plan.steps]
    assert ["docs", "m", "panel", "m"] == [step.specialist for step in plan.steps]
    assert "4 steps, 3 in a row, up to 2 at once" == plan.reason_text
    assert [True, True, False, True] == [step.required for step in plan.steps]
    assert ["yes", "no"] == plan.steps[3].output_format.labels.labels
    assert ["search"] == plan.steps[1].depends_on


async def test_the_same_request_gives_the_same_plan_and_spends_nothing():
    lease = types_pb2.Lease(model_calls=7)

    first, second = [await planned(STEPS, merge=MERGE, lease=lease) for _ in range(2)]

    assert (first, 7) == (second, first.unspent.model_calls)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        pytest.param(
            {"a": {"model": "m", "depends_on": ["b"]}, "b": {"model": "m", "depends_on": ["a"]}},
            "a -> b -> a",
            id="cycle",
        ),
        pytest.param(
            {"a": {"model": "m", "depends_on": ["x"]}}, "`x`, which does not", id="missing"
        ),
        pytest.param({"a": {"model": "m"}, "b": {"model": "m"}}, "`a` never reaches", id="unread"),
    ],
)
async def test_names_what_cannot_be_run(steps, problem):
    with pytest.raises(InvalidPlanError, match=f"ensemble 'main': .*{problem}"):
        await planned(steps)


async def test_an_ensemble_without_steps_has_no_plan():
    with pytest.raises(InvalidPlanError, match="ensemble 'panel' has no steps"):
        await planned(STEPS, merge=MERGE, ensemble="panel")


async def test_an_ensemble_with_steps_has_no_route():
    request = router_pb2.RouteRequest(ensemble="main", prompt=PROMPT)
    method = "/gremium.v1.RouterService/Route"
    handler = servicer(STEPS, merge=MERGE).Route
    with pytest.raises(NoEligibleTierError, match="ensemble 'main' has steps"):
        await call_local(handler, request, deadline=Deadline.after(5.0), method=method)


async def test_an_unknown_ensemble_is_named():
    with pytest.raises(UnknownEnsembleError, match="nope"):
        await planned(STEPS, merge=MERGE, ensemble="nope")


async def test_a_blank_prompt_is_refused():
    with pytest.raises(InvalidRequestError):
        await planned(STEPS, merge=MERGE, prompt=types_pb2.Prompt())


async def test_refuses_a_lease_that_pays_for_too_few_required_steps():
    with pytest.raises(BudgetSpentError, match="'main' need 2 model calls; the lease has 1"):
        await planned(STEPS, merge=MERGE, lease=types_pb2.Lease(model_calls=1))


async def test_refuses_a_lease_without_money_and_names_the_ensemble():
    lease = types_pb2.Lease(tokens=0)
    with pytest.raises(BudgetSpentError, match="tokens for ensemble 'main'"):
        await planned(STEPS, merge=MERGE, lease=lease)
