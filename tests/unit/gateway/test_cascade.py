"""Pattern cascade: stop when sure or confirmed, else go on, and lose nothing that is in hand."""

import pytest

from gremium.v1 import manifest_pb2, types_pb2
from services.core.errors import (
    BudgetSpentError,
    DeadlineSpentError,
    InternalError,
    PeerError,
    QuorumNotReachedError,
)
from services.gateway.patterns.cascade import cascade
from services.gateway.record import Record
from tests.cases import cascade_case, tier
from tests.fakes import FAIL, PASS, UNJUDGED, ScriptedMesh

ONES = (tier("small"), tier("medium"), tier("large"))
THREES = (tier("small", seats=3), tier("large", seats=3))
JUDGE = {"models": ["judge"]}
UNSCORED = manifest_pb2.Verdict(kind=manifest_pb2.VERDICT_KIND_PASS)
ANSWERED = manifest_pb2.OUTCOME_ANSWERED


def scored(score):
    verdict = manifest_pb2.Verdict()
    verdict.CopyFrom(PASS)
    verdict.score = score
    return verdict


async def replied(mesh, *tiers, at=0.7, **settings):
    case = cascade_case(*tiers, accept_at=at, **settings)
    record = Record(case)
    ending = await cascade(case, accept_at=at, mesh=mesh, record=record)
    return record.completed(ending)


async def test_stops_at_the_first_jury_that_agrees():
    mesh = ScriptedMesh({"small": ["42", "42", "42"], "large": ["43", "43", "43"]})

    reply = await replied(mesh, *THREES)

    assert ("42", ["small"], 1.0) == (reply.answer.text, mesh.asked, reply.manifest.confidence)
    assert [] == list(reply.manifest.escalations)


async def test_a_jury_that_is_split_is_not_sure():
    mesh = ScriptedMesh({"small": ["41", "41", "42"], "large": ["42", "42", "42"]})

    reply = await replied(mesh, *THREES)

    assert ("42", ["small", "large"]) == (reply.answer.text, mesh.asked)
    told = reply.manifest.escalations[0].reason_text
    assert "the confidence in its answer is 0.67; 0.70 is needed" == told


@pytest.mark.parametrize(("score", "asked"), [(0.9, ["small"]), (0.5, ["small", "medium"])])
async def test_a_lone_juror_is_as_sure_as_the_judge(score, asked):
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"]}, verdicts=[scored(score), scored(0.95)])

    await replied(mesh, *ONES[:2], judge=JUDGE)

    assert asked == mesh.asked


async def test_a_failed_verdict_goes_on():
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"]}, verdicts=[FAIL, scored(0.9)])

    assert "42" == (await replied(mesh, *ONES[:2], judge=JUDGE)).answer.text


async def test_two_tiers_that_agree_are_enough_without_a_judge():
    mesh = ScriptedMesh({"small": ["42"], "medium": ["42"], "large": ["43"]})

    reply = await replied(mesh, *ONES)

    assert ("42", "small-0", ["small", "medium"]) == (
        reply.answer.text,
        reply.answer.juror,
        mesh.asked,
    )


async def test_the_third_tier_may_confirm_the_second():
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"], "large": ["42"]})

    assert "medium-0" == (await replied(mesh, *ONES)).answer.juror


async def test_without_any_agreement_the_last_tier_is_believed():
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"], "large": ["43"]})

    reply = await replied(mesh, *ONES)

    assert ("43", False) == (reply.answer.text, reply.manifest.HasField("confidence"))


async def test_an_answer_known_to_be_surer_is_kept():
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"]}, verdicts=[scored(0.6), scored(0.55)])

    assert "41" == (await replied(mesh, *ONES[:2], judge=JUDGE)).answer.text


@pytest.mark.parametrize(
    "lost",
    [UNJUDGED, PeerError("down"), DeadlineSpentError("late"), BudgetSpentError("spent")],
    ids=["no verdict", "judge down", "judge late", "judge too dear"],
)
async def test_an_answer_that_passed_is_not_displaced_by_one_that_nobody_judged(lost):
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"]}, verdicts=[scored(0.55), lost])

    reply = await replied(mesh, *ONES[:2], judge=JUDGE)

    assert ("41", 0.55, False) == (reply.answer.text, reply.manifest.confidence, reply.unjudged)


async def test_a_verdict_outweighs_the_agreement_of_a_later_tier_that_nobody_judged():
    mesh = ScriptedMesh(
        {"small": ["41"], "large": ["42", "42", "43"]}, verdicts=[scored(0.55), UNJUDGED]
    )

    reply = await replied(mesh, ONES[0], THREES[1], judge=JUDGE)

    assert ("41", False) == (reply.answer.text, reply.unjudged)


async def test_a_passed_answer_displaces_one_that_nobody_judged():
    mesh = ScriptedMesh(
        {"small": ["41", "41", "42"], "large": ["43"]}, verdicts=[UNJUDGED, scored(0.6)]
    )

    reply = await replied(mesh, THREES[0], ONES[2], judge=JUDGE)

    assert ("43", 0.6) == (reply.answer.text, reply.manifest.confidence)


async def test_a_pass_without_a_score_stays_over_no_verdict():
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"]}, verdicts=[UNSCORED, UNJUDGED])

    assert "41" == (await replied(mesh, *ONES[:2], judge=JUDGE)).answer.text


async def test_a_jury_that_half_agrees_stays_over_a_lone_juror():
    mesh = ScriptedMesh({"small": ["41", "41", "42"], "large": ["43"]})

    reply = await replied(mesh, THREES[0], ONES[2])

    assert ("41", ["small", "large"]) == (reply.answer.text, mesh.asked)


@pytest.mark.parametrize(
    ("later", "degraded"),
    [
        ([None], False),
        (PeerError("down"), True),
        (InternalError("broken"), True),
        (DeadlineSpentError("frozen"), True),
    ],
    ids=["below quorum", "down", "broken", "frozen"],
)
async def test_an_answer_in_hand_is_not_lost_with_a_later_tier(later, degraded):
    mesh = ScriptedMesh({"small": ["41"], "medium": later})

    reply = await replied(mesh, *ONES[:2])

    assert (ANSWERED, "41", degraded) == (reply.outcome, reply.answer.text, reply.degraded)


async def test_an_answer_in_hand_outlasts_the_budget():
    budget = types_pb2.Budget(max_model_calls=1)
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"]})

    assert "41" == (await replied(mesh, *ONES[:2], budget=budget)).answer.text


async def test_a_rejected_last_tier_does_not_cost_an_unsure_answer():
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"]}, verdicts=[scored(0.5), FAIL])

    assert "41" == (await replied(mesh, *ONES[:2], judge=JUDGE)).answer.text


async def test_without_an_aggregator_nobody_agrees():
    mesh = ScriptedMesh({"small": ["42"], "medium": ["42"]}, counting=InternalError("broken"))

    reply = await replied(mesh, *ONES[:2])

    assert ("medium-0", True) == (reply.answer.juror, reply.degraded)


async def test_says_when_no_tier_reached_its_quorum():
    with pytest.raises(QuorumNotReachedError):
        await replied(ScriptedMesh({"small": [None], "medium": [None]}), *ONES[:2])


async def test_leaves_each_tier_its_share_of_the_time():
    mesh = ScriptedMesh({"small": ["41"], "medium": ["42"]}, hangs=True)
    seen = []
    deliberate = mesh.deliberate

    async def noting(request, *, deadline, **rest):
        seen.append(deadline.left_s)
        mesh._hangs = False
        return await deliberate(request, deadline=deadline, **rest)

    mesh.deliberate = noting
    await replied(mesh, *ONES[:2], allowed_s=8.0)

    assert 3.5 < seen[0] < 4.0
