"""One request leaves its figures, the same on either transport, and none of them names a caller."""

import asyncio

import grpc
import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2
from services.runtime import figures
from tests.figures import by, figure, measuring, points
from tests.mesh.meshes import TIMEOUT_S, request
from tests.mesh.shadowed import ended, route
from tests.mesh.test_ask import FAIL, JUDGED, JURY, LABELS, PASS
from tests.mesh.test_cascade import NUMBER, lone, said
from tests.upstream import Reply

ASK = "gremium.v1.EnsembleService/Ask"
STAGES = {
    "gremium.v1.RouterService/Route",
    "gremium.v1.JuryService/Deliberate",
    "gremium.v1.AggregatorService/Aggregate",
    "gremium.v1.JudgeService/Verify",
}
SPLIT = {"a": Reply("yes"), "b": Reply("yes"), "c": Reply("no"), "judge": PASS}
ALL = {"stop": {"rule": "quorum"}, "quorum": 3}


@pytest.fixture(autouse=True)
def _measuring():
    with measuring():
        yield


async def test_a_request_is_told_by_pattern_and_outcome(serve):
    gateway = await serve({**JURY, **JUDGED}, {"judge": PASS})

    reply = await gateway.ask()

    of = {"ensemble": "main", "pattern": "jury", "outcome": "ANSWERED", "type": ""}
    assert 1 == figure(figures.REQUEST_DURATION, **of)
    assert reply.manifest.cost_usd == pytest.approx(figure(figures.REQUEST_COST, ensemble="main"))
    assert reply.manifest.cost_usd == pytest.approx(figure(figures.MODEL_COST))
    [(_, left)], [(_, share)] = points(figures.DEADLINE_LEFT), points(figures.DEADLINE_LEFT_SHARE)
    assert 0.5 * TIMEOUT_S < left.total < TIMEOUT_S
    assert 0.5 < share.total < 1.0


async def test_every_hop_is_timed_on_both_sides(serve):
    gateway = await serve({**JURY, **JUDGED}, {"judge": PASS})

    await gateway.ask()

    assert STAGES == by(figures.RPC_CLIENT, "rpc.method").keys()
    assert {*STAGES, ASK} == by(figures.RPC_SERVER, "rpc.method").keys()
    assert {"OK": 5} == by(figures.RPC_SERVER, "rpc.response.status_code")


async def test_every_model_is_told_by_who_asked_it(serve):
    gateway = await serve({**JURY, **JUDGED}, {"judge": PASS})

    await gateway.ask()

    assert {"jury": 3, "judge": 1} == by(figures.MODEL_CALLS, "gremium.service")
    assert dict.fromkeys(("a", "b", "c", "judge"), 1) == by(figures.MODEL_CALLS, "gremium.model")


async def test_a_pair_that_disagrees_is_counted(serve):
    gateway = await serve({**JURY, **JUDGED, **ALL}, SPLIT)

    await gateway.ask(shape=LABELS)
    await gateway.ask(shape=LABELS)

    pairs = {
        (told["gremium.juror"], told["gremium.juror.other"]): value
        for told, value in points(figures.PAIRS_DISAGREED)
    }
    assert {("a", "b"): 0, ("a", "c"): 2, ("b", "c"): 2} == pairs
    assert {"a": 4, "b": 2} == by(figures.PAIRS, "gremium.juror")
    [(of, spread)] = points(figures.TALLY_DIVERGENCE)
    assert ({"gremium.ensemble": "main"}, 2) == (of, spread.count)
    assert 2 / 3 == pytest.approx(spread.total / 2)
    assert 2 == figure(figures.TALLIES, consensus="true")


async def test_a_verdict_is_told_by_its_judge(serve):
    gateway = await serve({**JURY, **JUDGED}, {"judge": FAIL})

    await gateway.ask()

    assert 1 == figure(figures.VERDICTS, judge="judge", verdict="FAIL", reason="")
    assert 1 == figure(figures.REQUEST_DURATION, outcome="REJECTED")


async def test_an_answer_that_nobody_judged_says_why(serve):
    gateway = await serve({**JURY, **JUDGED}, hung={"judge"})

    await gateway.ask(timeout_s=2)

    assert {"UNJUDGED": 1} == by(figures.VERDICTS, "gremium.verdict")
    assert all(told["gremium.reason"] for told, _ in points(figures.VERDICTS))
    assert (1, 1) == (figure(figures.UNJUDGED), figure(figures.DEGRADED))


async def test_an_early_stop_tells_why_and_what_it_saved(serve):
    script = {"a": Reply("yes"), "b": Reply("yes"), "c": Reply("no", delay_s=0.8)}
    gateway = await serve({**JURY, "quorum": 2}, script)

    await gateway.ask(shape=LABELS)

    assert {"DECIDED": 1} == by(figures.JURY_STOPS, "gremium.reason")
    assert 1 == figure(figures.MODEL_CALLS, model="c", status="cancelled", reason="DECIDED")
    assert 0 < figure(figures.SAVED_USD, ensemble="main")


async def test_an_escalation_names_its_tiers(serve):
    gateway = await serve(lone("a", "b", "c"), said(a="4", b="5", c="6"))

    await gateway.ask(shape=NUMBER)

    tiers = [
        (told["gremium.tier.from"], told["gremium.tier.to"])
        for told, _ in points(figures.ESCALATIONS)
    ]
    assert [("tier-a", "tier-b"), ("tier-b", "tier-c")] == tiers


async def test_a_request_that_failed_says_why(serve):
    gateway = await serve(JURY, {name: Reply(status=500) for name in "abc"})

    with pytest.raises(grpc.aio.AioRpcError):
        await gateway.ask()

    assert 1 == figure(figures.REQUEST_DURATION, outcome="FAILED", type="QUORUM_NOT_REACHED")
    assert 1 == figure(figures.RPC_SERVER, method=ASK, status_code="ABORTED", type="ABORTED")
    assert 2 <= figure(figures.PARTICIPATIONS, stage="jury", status="FAILED", reason="HTTP_STATUS")


async def test_a_reply_that_is_given_again_is_no_request_of_its_own(serve):
    gateway = await serve(JURY)

    for _ in range(2):
        await gateway.ask(request_id="the-same")

    assert 1 == figure(figures.REQUEST_DURATION)


async def test_no_figure_tells_callers_or_requests_apart(serve):
    gateway = await serve({**JURY, **JUDGED}, {"judge": PASS})

    for nth in range(3):
        asked = request("What is 2 + 2?", request_id=f"secret-{nth}", labels={"team": "secret"})
        caller = (("gremium-caller", f"secret-{nth}"),)
        await gateway.stub.Ask(asked, timeout=TIMEOUT_S, metadata=caller)

    told = [
        str(of) for name, each in vars(figures).items() if name.isupper() for of, _ in points(each)
    ]
    assert told
    assert not [each for each in told if "secret" in each]
    assert 1 == len(points(figures.REQUEST_DURATION))


async def test_feedback_is_measured_by_what_it_says(serve):
    gateway = await serve(JURY)
    reply = await gateway.ask()

    for feedback in (
        manifest_pb2.Feedback(kind=manifest_pb2.FEEDBACK_KIND_CORRECT),
        manifest_pb2.Feedback(score=0.4),
    ):
        said = ensemble_pb2.SubmitFeedbackRequest(request_id=reply.request_id, feedback=feedback)
        await gateway.stub.SubmitFeedback(said, timeout=TIMEOUT_S)

    assert {"CORRECT": 1, "": 1} == by(figures.FEEDBACK, "gremium.feedback")
    assert 1.4 == pytest.approx(sum(spread.total for _, spread in points(figures.FEEDBACK)))


async def test_requests_that_are_answered_now_are_told(serve):
    gateway = await serve(JURY, {name: Reply(delay_s=0.5) for name in "abc"})

    asked = asyncio.create_task(gateway.ask())
    await gateway.provider.until(lambda: gateway.provider.running > 0)
    underway = by(figures.REQUESTS_ACTIVE, "gremium.ensemble")
    await asked

    assert ({"main": 1}, {"main": 0}) == (
        underway,
        by(figures.REQUESTS_ACTIVE, "gremium.ensemble"),
    )


async def test_a_cheaper_tier_that_was_asked_too_is_told_by_how_it_compares(serve, tmp_path):
    gateway = await serve(route(), said(small="Yes.", large="yes"))

    await gateway.ask(shape=LABELS)

    (record,) = await ended(tmp_path)
    tiers = {"from": "dear", "to": "cheap", "verdict": "EQUAL"}
    assert 1 == figure(figures.SHADOWS, **tiers)
    assert record.shadow_cost_usd == pytest.approx(figure(figures.SHADOW_COST))
    assert 1 == figure(figures.REQUEST_DURATION)
