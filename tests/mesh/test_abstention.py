"""Through the whole mesh an answer may abstain where that is allowed, and counts as it should."""

from gremium.v1 import manifest_pb2, types_pb2
from services.core.canonical import DECLINED
from tests.mesh.test_ask import JUDGED, PASS, parts
from tests.upstream import Reply

MAY = types_pb2.OutputFormat(number=types_pb2.NumberFormat(), may_abstain=True)
NUMBER = types_pb2.OutputFormat(number=types_pb2.NumberFormat())
JURY = {"jurors": [{"model": "a"}, {"model": "b"}, {"model": "c"}], "quorum": 2, "grace_s": 5}
UNKNOWN, REFUSAL = Reply(text="I don't know."), Reply(text="I'm sorry, I can't help with that.")
SCRIPT = {"a": UNKNOWN, "b": REFUSAL, "c": Reply(text="4")}


async def test_an_abstention_that_leads_is_the_answer_and_says_how_likely_it_is_right(serve):
    gateway = await serve({**JURY, **JUDGED}, {**SCRIPT, "judge": PASS})

    reply = await gateway.ask(shape=MAY)

    (tally,) = reply.manifest.tallies
    assert manifest_pb2.OUTCOME_ANSWERED == reply.outcome
    assert reply.answer.text in {UNKNOWN.text, REFUSAL.text}
    assert DECLINED.key == tally.leader == tally.abstain_key
    assert 0.0 < tally.p_correct.low < tally.p_correct.value < tally.p_correct.high < 1.0


async def test_an_ensemble_allows_it_for_all_its_prompts(serve):
    gateway = await serve({**JURY, "aggregate": {"may_abstain": True}}, SCRIPT)

    reply = await gateway.ask(shape=NUMBER)

    assert DECLINED.key == reply.manifest.tallies[0].leader


async def test_it_counts_as_configured_and_the_jury_waits_for_what_may_outweigh_it(serve):
    slow = {**SCRIPT, "c": Reply(text="4", delay_s=0.3)}
    how = {"may_abstain": True, "abstain_weight": 0.25}
    gateway = await serve({**JURY, "aggregate": how}, slow)

    reply = await gateway.ask(shape=NUMBER)

    assert "4" == reply.answer.text


async def test_where_it_is_not_allowed_it_is_unusable_and_a_refusal_told_apart(serve):
    gateway = await serve({**JURY, "quorum": 1}, SCRIPT)

    reply = await gateway.ask(shape=NUMBER)

    assert "4" == reply.answer.text
    assert {
        "a": ("UNUSABLE", "ABSTAINED"),
        "b": ("UNUSABLE", "REFUSED"),
        "c": ("ANSWERED", ""),
    } == parts(reply.manifest)
