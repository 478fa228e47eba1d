"""Pattern route: the cheapest adequate tier first, and nothing in hand is ever lost."""

import pytest

from gremium.v1 import manifest_pb2, router_pb2, types_pb2
from services.config.tree import Price
from services.core.errors import (
    BudgetSpentError,
    DeadlineSpentError,
    InternalError,
    NoEligibleTierError,
    PeerError,
    QuorumNotReachedError,
)
from services.gateway.patterns.route import route
from services.gateway.record import Record
from tests.cases import case, tier
from tests.fakes import FAIL, PASS, UNJUDGED, UNSAFE, ScriptedMesh

TWO = (tier("small"), tier("large"))


async def answered(asked, mesh):
    return await route(asked, mesh=mesh, record=Record(asked))


async def test_stops_at_the_first_tier_that_passes():
    mesh = ScriptedMesh({"small": ["42"], "large": ["42!"]}, verdicts=[PASS])

    ending = await answered(case(*TWO), mesh)

    assert ("42", False) == (ending.answer.text, ending.unjudged)
    assert ["small"] == mesh.asked


async def test_escalates_when_the_judge_fails_an_answer():
    mesh = ScriptedMesh({"small": ["41"], "large": ["42"]}, verdicts=[FAIL, PASS])

    ending = await answered(case(*TWO), mesh)

    assert (manifest_pb2.OUTCOME_ANSWERED, "42") == (ending.outcome, ending.answer.text)


async def test_escalates_when_a_tier_is_below_its_quorum():
    mesh = ScriptedMesh({"small": [None], "large": ["42"]}, verdicts=[PASS])

    assert "42" == (await answered(case(*TWO), mesh)).answer.text


async def test_escalates_when_a_tier_disagrees():
    mesh = ScriptedMesh({"small": ["41"], "large": ["42"]}, verdicts=[PASS], split=["small"])

    assert "42" == (await answered(case(*TWO), mesh)).answer.text


async def test_is_rejected_when_every_tier_fails():
    mesh = ScriptedMesh({"small": ["41"], "large": ["43"]}, verdicts=[FAIL, FAIL])

    ending = await answered(case(*TWO), mesh)

    assert (manifest_pb2.OUTCOME_REJECTED, None) == (ending.outcome, ending.answer)


async def test_a_rejected_answer_is_no_degraded_one():
    asked = case(*TWO)
    record = Record(asked)
    mesh = ScriptedMesh({"small": ["41"], "large": ["43"]}, verdicts=[FAIL, FAIL])

    await route(asked, mesh=mesh, record=record)

    assert not record.degraded


async def test_gives_a_rejected_answer_only_on_demand():
    mesh = ScriptedMesh({"small": ["41"]}, verdicts=[FAIL])

    ending = await answered(case(deliver_rejected=True), mesh)

    assert (manifest_pb2.OUTCOME_REJECTED, "41") == (ending.outcome, ending.answer.text)


async def test_never_gives_an_unsafe_answer():
    mesh = ScriptedMesh({"small": ["boom"]}, verdicts=[UNSAFE])

    assert (await answered(case(deliver_rejected=True), mesh)).answer is None


async def test_a_verdict_in_prose_neither_passes_nor_rejects():
    mesh = ScriptedMesh({"small": ["42"]}, verdicts=[UNJUDGED])

    ending = await answered(case(), mesh)

    assert ("42", True) == (ending.answer.text, ending.unjudged)


async def test_a_judge_that_is_down_costs_the_verdict_not_the_answer():
    mesh = ScriptedMesh({"small": ["42"]}, verdicts=[PeerError("judge is down")])

    ending = await answered(case(), mesh)

    assert ("42", True) == (ending.answer.text, ending.unjudged)


async def test_without_a_judge_nobody_is_asked_to_verify():
    ending = await answered(case(judge=None), ScriptedMesh({"small": ["42"]}))

    assert ("42", True) == (ending.answer.text, ending.unjudged)


@pytest.mark.parametrize(
    "later",
    [[None], PeerError("jury is down"), InternalError("?"), DeadlineSpentError("late")],
    ids=["below quorum", "down", "broken", "late"],
)
async def test_keeps_what_it_has_when_a_later_tier_fails(later):
    mesh = ScriptedMesh({"small": ["41"], "large": later}, verdicts=[FAIL])

    ending = await answered(case(*TWO, deliver_rejected=True), mesh)

    assert (manifest_pb2.OUTCOME_REJECTED, "41") == (ending.outcome, ending.answer.text)


async def test_says_when_no_tier_reached_its_quorum():
    with pytest.raises(QuorumNotReachedError):
        await answered(case(*TWO), ScriptedMesh({"small": [None], "large": [None]}))


async def test_does_not_escalate_to_a_tier_it_cannot_pay():
    budget = types_pb2.Budget(max_model_calls=2)
    mesh = ScriptedMesh({"small": ["41"], "large": ["42"]}, verdicts=[FAIL])

    ending = await answered(case(*TWO, budget=budget), mesh)

    assert manifest_pb2.OUTCOME_REJECTED == ending.outcome
    assert [1, 1] == [lease.model_calls for lease in mesh.leases]


@pytest.mark.parametrize("limit", ["max_model_calls", "max_tokens"])
async def test_a_budget_of_nothing_asks_nobody(limit):
    mesh = ScriptedMesh({"small": ["42"]}, routing=PeerError("is not needed to know it"))
    with pytest.raises(BudgetSpentError):
        await answered(case(budget=types_pb2.Budget(**{limit: 0})), mesh)

    assert [] == mesh.asked


async def test_a_budget_of_no_money_asks_nobody_who_costs_some():
    asked = case(budget=types_pb2.Budget(max_cost_usd=0.0))
    price = Price(output_usd_per_mtok=1.0)
    asked.models["small"] = asked.models["small"].model_copy(update={"price": price})

    with pytest.raises(BudgetSpentError, match="cost_usd"):
        await answered(asked, ScriptedMesh({"small": ["42"]}))


async def test_a_budget_of_no_money_is_the_jurys_to_spend():
    mesh = ScriptedMesh({"small": ["42"]}, verdicts=[PASS])

    ending = await answered(case(budget=types_pb2.Budget(max_cost_usd=0.0)), mesh)

    assert "42" == ending.answer.text
    assert [0.0, 0.0] == [lease.cost_usd for lease in mesh.leases]


async def test_the_default_tier_stands_in_for_a_router_that_is_down():
    asked = case(*TWO, default_tier="large")
    record = Record(asked)
    mesh = ScriptedMesh({"small": ["41"], "large": ["42"]}, verdicts=[PASS], routing=PeerError("-"))

    ending = await route(asked, mesh=mesh, record=record)

    assert ("42", ["large"], True) == (ending.answer.text, mesh.asked, record.degraded)
    decision = record.completed(ending).manifest.route
    assert router_pb2.ROUTE_REASON_FALLBACK == decision.reason


async def test_a_router_that_refuses_is_believed():
    mesh = ScriptedMesh({"small": ["42"]}, routing=NoEligibleTierError("too long"))
    with pytest.raises(NoEligibleTierError):
        await answered(case(*TWO), mesh)


async def test_the_best_juror_stands_in_for_an_aggregator_that_is_down():
    seats = [{"model": "small", "name": f"small-{nth}", "weight": nth + 1} for nth in range(2)]
    asked = case({"name": "small", "jurors": seats}, judge=None)
    record = Record(asked)
    mesh = ScriptedMesh({"small": ["41", "42"]}, counting=InternalError("broken"))

    ending = await route(asked, mesh=mesh, record=record)

    assert ("42", True) == (ending.answer.text, record.degraded)
    assert "best_juror" == record.completed(ending).manifest.tallies[0].method


@pytest.mark.parametrize("verdict", [PeerError("judge is down"), UNJUDGED], ids=["down", "prose"])
async def test_a_judge_that_fails_closed_lets_nothing_through(verdict):
    mesh = ScriptedMesh({"small": ["42"]}, verdicts=[verdict])
    judge = {"models": ["judge"], "on_failure": "closed"}

    ending = await answered(case(judge=judge, deliver_rejected=True), mesh)

    assert (manifest_pb2.OUTCOME_REJECTED, None, True) == (
        ending.outcome,
        ending.answer,
        ending.unjudged,
    )


async def test_a_judge_that_is_down_is_no_reason_to_ask_another_tier():
    mesh = ScriptedMesh({"small": ["42"], "large": ["42"]}, verdicts=[PeerError("down")])

    await answered(case(*TWO, judge={"models": ["judge"], "on_failure": "closed"}), mesh)

    assert ["small"] == mesh.asked


async def test_an_escalation_says_why():
    asked = case(*TWO)
    record = Record(asked)
    mesh = ScriptedMesh({"small": ["41"], "large": ["42"]}, verdicts=[FAIL, PASS])

    manifest = record.completed(await route(asked, mesh=mesh, record=record)).manifest

    assert [("small", "large")] == [(e.from_tier, e.to_tier) for e in manifest.escalations]
