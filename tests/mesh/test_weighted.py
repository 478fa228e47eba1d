"""A jury whose votes count what the judge thinks of them."""

import json

import pytest

from gremium.v1 import manifest_pb2, types_pb2
from tests.mesh.test_ask import PASS, PROSE
from tests.upstream import Reply

NUMBER = types_pb2.OutputFormat(number=types_pb2.NumberFormat())
JURY = {
    "jurors": [{"model": "a"}, {"model": "b"}, {"model": "c"}],
    "quorum": 3,
    "judge": {"models": ["judge"], "timeout_s": 2},
    "aggregate": {"method": "weighted"},
}
SCRIPT = {"a": Reply(text="5"), "b": Reply(text="5"), "c": Reply(text="4")}


def judge(body):
    """Audits with a pass, and prefers 4 wherever it stands."""
    text = str(body["messages"][-1]["content"])
    if "ANSWER TWO" not in text:
        return PASS
    one, _, two = text.partition("ANSWER ONE")[2].partition("ANSWER TWO")
    better = {(True, False): "one", (False, True): "two"}.get(("\n4" in one, "\n4" in two), "tie")
    return Reply(text=json.dumps({"evidence": "seen", "better": better}))


async def test_the_judges_scores_outweigh_the_majority(serve):
    gateway = await serve(JURY, {**SCRIPT, "judge": judge})

    reply = await gateway.ask(shape=NUMBER)

    (tally,) = reply.manifest.tallies
    assert ("c", "weighted", False, False) == (
        reply.answer.juror,
        tally.method,
        reply.unjudged,
        reply.degraded,
    )
    assert [("c", 1.0, 2), ("a", -0.5, 2), ("b", -0.5, 2)] == [
        (each.juror, each.score, each.comparisons) for each in tally.standings
    ]
    assert 8 == reply.manifest.model_calls == gateway.provider.calls


async def test_a_ranking_leaves_enough_for_the_verdict(serve):
    gateway = await serve(JURY, {**SCRIPT, "judge": judge})

    reply = await gateway.ask(shape=NUMBER, budget=types_pb2.Budget(max_model_calls=6))

    assert (6, False) == (reply.manifest.model_calls, reply.unjudged)


@pytest.mark.parametrize("hung", [{"judge"}])
async def test_without_a_judge_the_weights_count_alone(serve, hung):
    gateway = await serve(JURY, {**SCRIPT, "judge": judge}, hung=hung)

    reply = await gateway.ask(shape=NUMBER, timeout_s=5.0)

    assert ("5", True, True) == (reply.answer.text, reply.unjudged, reply.degraded)
    lost = [p for p in reply.manifest.participations if p.stage == manifest_pb2.STAGE_JUDGE]
    assert {"DEADLINE_SPENT"} == {part.reason for part in lost}


async def test_a_judge_that_was_late_in_comparing_is_asked_last_for_the_verdict(serve):
    judges = {"models": ["hang", "judge"], "timeout_s": 0.5}
    gateway = await serve({**JURY, "judge": judges}, {**SCRIPT, "judge": judge})

    reply = await gateway.ask(shape=NUMBER)

    assert ("c", False) == (reply.answer.juror, reply.unjudged)
    assert ["judge"] == [verdict.judge for verdict in reply.manifest.verdicts]
    parts = [p for p in reply.manifest.participations if p.stage == manifest_pb2.STAGE_JUDGE]
    assert "judge" == parts[-1].name
    assert ["hang"] * 4 + ["judge"] * 4 == [part.name for part in parts[:-1]]


async def test_a_ranking_that_a_judge_used_up_leaves_the_verdict_to_another(serve):
    judges = {"models": ["hang", "judge"], "timeout_s": 5.0}
    gateway = await serve({**JURY, "judge": judges}, {**SCRIPT, "judge": judge})

    reply = await gateway.ask(shape=NUMBER, timeout_s=5.0)

    assert ("5", False) == (reply.answer.text, reply.unjudged)
    assert ["judge"] == [verdict.judge for verdict in reply.manifest.verdicts]
    assert 4 == gateway.provider.calls_of("hang")


def compares_badly(body):
    return PROSE if "ANSWER TWO" in str(body["messages"][-1]["content"]) else PASS


FOUR = {**JURY, "jurors": [{"model": name} for name in "abcd"], "quorum": 4}


@pytest.mark.parametrize("jury", [JURY, FOUR], ids=["two of three alike", "two pairs"])
async def test_a_ranking_without_one_comparison_is_told(serve, jury):
    script = {**SCRIPT, "d": Reply(text="4"), "judge": compares_badly}
    gateway = await serve({**jury, "aggregate": {"method": "weighted", "min_share": 0.1}}, script)

    reply = await gateway.ask(shape=NUMBER)

    assert (True, False) == (reply.degraded, reply.unjudged)


async def test_a_judge_model_that_hangs_leaves_the_weights_and_is_told(serve):
    judge = {"models": ["hang"], "timeout_s": 0.5}
    gateway = await serve({**JURY, "judge": judge}, SCRIPT)

    reply = await gateway.ask(shape=NUMBER)

    assert ("5", True, True) == (reply.answer.text, reply.degraded, reply.unjudged)


async def test_equal_answers_need_no_judge_to_compare_them(serve):
    same = dict.fromkeys("abc", Reply(text="4"))
    gateway = await serve(JURY, {**same, "judge": compares_badly})

    assert not (await gateway.ask(shape=NUMBER)).degraded


async def test_one_answer_needs_no_comparison(serve):
    jury = {**JURY, "jurors": [{"model": "a"}], "quorum": 1}
    gateway = await serve(jury, {**SCRIPT, "judge": judge})

    assert not (await gateway.ask(shape=NUMBER)).degraded
