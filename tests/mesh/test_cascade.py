"""A cascade over the real stages: what is sure, what agrees, and who is never asked."""

import json

import pytest

from gremium.v1 import router_pb2, types_pb2
from tests.upstream import Reply

FINDING = {"evidence": "", "pass": True, "score": 0.55}
UNSURE = Reply(text=json.dumps(dict.fromkeys(("hallucination", "safety", "logic"), FINDING)))
NUMBER = types_pb2.OutputFormat(number=types_pb2.NumberFormat())


def lone(*models, **settings):
    tiers = [{"name": f"tier-{name}", "jurors": [{"model": name}]} for name in models]
    return {"pattern": "cascade", "tiers": tiers, **settings}


def said(**texts):
    return {name: Reply(text=text) for name, text in texts.items()}


async def test_two_models_that_say_the_same_keep_the_third_from_being_asked(serve):
    script = said(a="It is **4**.", b="2 + 2 = 4", c="5")
    gateway = await serve(lone("a", "b", "c"), script)

    reply = await gateway.ask(shape=NUMBER)

    assert ("a", 1.0, 2) == (
        reply.answer.juror,
        reply.manifest.confidence,
        gateway.provider.calls,
    )
    assert ["tier-a"] == [told.from_tier for told in reply.manifest.escalations]


@pytest.mark.parametrize(
    ("second", "asked"),
    [("The capital of France is Paris.", 2), ("Bananas are rich in potassium.", 3)],
)
async def test_prose_agrees_when_it_says_the_same(serve, second, asked):
    script = said(a="The capital of France is Paris.", b=second, c="Nobody knows.")
    gateway = await serve(lone("a", "b", "c"), script)

    await gateway.ask("What is the capital of France?")

    assert asked == gateway.provider.calls


async def test_models_that_disagree_leave_it_to_the_last(serve):
    gateway = await serve(lone("a", "b", "c"), said(a="4", b="5", c="6"))

    reply = await gateway.ask(shape=NUMBER)

    assert ("c", 3) == (reply.answer.juror, gateway.provider.calls)


async def test_the_configured_order_is_kept_whatever_is_predicted(serve):
    gateway = await serve(lone("large", "b"), said(large="4", b="4"))

    decision = (await gateway.ask(shape=NUMBER)).manifest.route

    assert ["tier-large", "tier-b"] == [tier.name for tier in decision.tiers]
    assert router_pb2.ROUTE_REASON_CHEAPEST_ADEQUATE == decision.reason


async def test_a_hung_tier_leaves_time_for_the_next(serve):
    gateway = await serve(lone("hang", "b"), said(b="4"))

    reply = await gateway.ask(shape=NUMBER, timeout_s=2.0)

    assert ("b", False) == (reply.answer.juror, reply.degraded)


JUDGED = {"judge": {"models": ["j"], "timeout_s": 0.5}, "accept_at": 0.8}


async def test_a_judged_answer_stays_when_the_budget_judges_no_second_one(serve):
    gateway = await serve(lone("a", "b", **JUDGED), {**said(a="4", b="5"), "j": UNSURE})

    reply = await gateway.ask(shape=NUMBER, budget=types_pb2.Budget(max_model_calls=3))

    assert ("a", 0.55, False) == (reply.answer.juror, reply.manifest.confidence, reply.unjudged)
    assert 3 == gateway.provider.calls


@pytest.mark.parametrize("second", [Reply(hang=True), Reply(status=500), Reply(text="Well.")])
async def test_a_judged_answer_stays_when_the_judge_fails_the_second_time(serve, second):
    gateway = await serve(lone("a", "b", **JUDGED), {**said(a="4", b="5"), "j": [UNSURE, second]})

    reply = await gateway.ask(shape=NUMBER)

    assert ("a", False) == (reply.answer.juror, reply.unjudged)


async def test_a_jury_that_half_agrees_stays_over_a_lone_juror(serve):
    ensemble = lone("d", accept_at=0.8)
    three = [{"model": name} for name in "abc"]
    ensemble["tiers"].insert(0, {"name": "three", "jurors": three, "quorum": 3})
    gateway = await serve(ensemble, said(a="4", b="4", c="5", d="6"))

    reply = await gateway.ask(shape=NUMBER)

    assert ("4", 4) == (reply.answer.text, gateway.provider.calls)


@pytest.mark.parametrize(
    ("model", "why"),
    [("http-500", "failed (HTTP_STATUS)"), ("hang", "timed out"), ("empty", "unusable (EMPTY)")],
)
async def test_an_escalation_says_how_the_tier_failed(serve, model, why):
    gateway = await serve(lone(model, "b"), said(b="4"))

    (told,) = (await gateway.ask(shape=NUMBER)).manifest.escalations

    assert f"0 of 1 needed jurors answered: {model} {why}" == told.reason_text
