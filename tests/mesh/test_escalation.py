"""A cascade that knows P(correct) asks on as long as that is worth its price."""

from dataclasses import replace

import grpc
import pytest

from gremium.v1 import manifest_pb2
from services.calibration.artefact import Calibration, ConfidenceMap, Gate, PoolFit, write
from tests.mesh.test_cascade import NUMBER, said
from tests.upstream import Reply

SAID = said(a="4", b="5", c="6")
ORDER = ("a", "b", "c")


def pool(juror, *, weight, accuracy):
    return PoolFit(
        rule="logit",
        jurors=(juror,),
        weights=(weight,),
        alone=(0.0,),
        abstaining=(0.0,),
        priors=(accuracy,),
        none_score=0.0,
        abstain=0.0,
        gate=Gate(closed=False, best=juror, quantile=0.0, n=90),
        confidence=ConfidenceMap(),
        n_labels=90,
        metrics={"accuracy": accuracy, "spread": 0.05},
    )


POOLS = {
    "main/tier-a": pool("a", weight=1.0, accuracy=0.73),
    "main/tier-b": pool("b", weight=1.1, accuracy=0.75),
    "main/tier-c": pool("c", weight=3.0, accuracy=0.95),
}


@pytest.fixture
def asked(serve, tmp_path):
    """Ask a calibrated cascade of one juror a tier."""

    async def ask(pools=POOLS, *, script=SAID, **settings):
        made = Calibration("2026-01-01T00:00:00+00:00", "0" * 64, pools=pools)
        write(made, tmp_path / "calibration.json")
        tiers = [{"name": f"tier-{name}", "jurors": [{"model": name}]} for name in ORDER]
        cascade = {"pattern": "cascade", "tiers": tiers, **settings}
        gateway = await serve(cascade, script, calibration="calibration.json")
        return await gateway.ask(shape=NUMBER)

    return ask


def of(reply):
    """The tiers that were asked."""
    return [part.tier for part in reply.manifest.participations if part.model_calls]


async def test_what_is_worth_little_stays_with_the_cheap_answer(asked):
    reply = await asked(accept_at=0.99, escalate={"value_usd": 1e-6})

    assert ("4", ["tier-a"]) == (reply.answer.text, of(reply))


async def test_what_is_worth_much_leaves_out_who_hardly_helps(asked):
    reply = await asked(accept_at=0.5, escalate={"value_usd": 1e6})

    assert ("6", ["tier-a", "tier-c"]) == (reply.answer.text, of(reply)[:2])
    (told,) = [each for each in reply.manifest.escalations if each.from_tier == "tier-a"]
    assert "tier-c" == told.to_tier
    assert told.reason_text.startswith("right with 73%; tier-c is expected to add 21.9%")


async def test_without_escalate_the_confidence_decides(asked):
    reply = await asked(accept_at=0.5)

    assert ("4", ["tier-a"]) == (reply.answer.text, of(reply))


async def test_where_nothing_is_learned_the_confidence_decides(asked):
    few = {name: replace(fit, n_labels=10) for name, fit in POOLS.items()}
    reply = await asked(few, accept_at=0.5, escalate={"value_usd": 1e-6})

    assert list(ORDER) == [tier.removeprefix("tier-") for tier in of(reply)]


@pytest.mark.parametrize("depth", [1, 2])
async def test_it_goes_no_deeper_than_configured(asked, depth):
    alike = {"accuracy": 0.9, "spread": 0.2}
    reply = await asked(
        {name: replace(fit, metrics=alike) for name, fit in POOLS.items()},
        escalate={"value_usd": 1e6, "depth": depth},
    )

    assert 1 + depth == len(of(reply))


FAILS = {**SAID, "a": Reply(status=500)}


async def test_a_tier_that_fails_is_followed_by_the_one_that_is_worth_most(asked):
    reply = await asked(script=FAILS, escalate={"value_usd": 1e6})

    assert ("6", ["tier-a", "tier-c"]) == (reply.answer.text, of(reply)[:2])


async def test_nobody_is_asked_after_a_failure_who_is_not_worth_the_price(asked):
    with pytest.raises(grpc.aio.AioRpcError, match="0 of 1 needed jurors answered"):
        await asked(script=FAILS, escalate={"value_usd": 1e-9})


async def test_nobody_is_asked_after_an_unsure_tier_who_is_not_worth_the_price(asked):
    unsure = {"aggregate": {"min_confidence": 0.9}}
    reply = await asked(escalate={"value_usd": 1e-9}, **unsure)

    assert (manifest_pb2.OUTCOME_NO_CONSENSUS, ["tier-a"]) == (reply.outcome, of(reply))


async def test_a_failure_is_no_reason_to_go_deeper_than_configured(asked):
    pools = {**POOLS, "main/tier-c": pool("c", weight=3.0, accuracy=0.1)}
    script = {**SAID, "b": Reply(status=500)}
    reply = await asked(pools, script=script, escalate={"value_usd": 1e6, "depth": 1})

    assert ("4", ["tier-a", "tier-b"]) == (reply.answer.text, of(reply))
