"""Prose is compared by meaning, else by words, and the tally says which and how far apart it is."""

import pytest

from aggregator_svc.compose import composed
from aggregator_svc.service import AggregatorServicer
from gremium.v1 import aggregator_pb2
from services.models.roster import Roster
from tests.unit.aggregator.serving import (
    NOW,
    Angles,
    BrokenEmbedder,
    UnitEmbedder,
    aggregate,
    answers,
    calling,
    loaded,
    priors,
)


async def test_prose_of_all_is_compared_by_meaning_though_tools_were_offered(servicer):
    tally = (await aggregate(servicer, answers("Late.", "late", "Early"), tools=[NOW])).tally

    assert "medoid_words" == tally.method
    assert [["j0", "j1"], ["j2"]] == [list(c.jurors) for c in tally.classes]


async def test_prose_has_a_medoid(tmp_path):
    given = answers(
        "Bananas are rich in potassium.",
        "The capital of France is Paris.",
        "Paris is the capital of France.",
    )

    async with composed(loaded(tmp_path, "minilm"), engines={}) as servicer:
        reply = await aggregate(servicer, given)

    tally = reply.tally
    assert ("medoid", True) == (tally.method, tally.consensus)
    assert reply.representative.juror in ("j1", "j2")
    assert ["j1", "j2"] == tally.classes[0].jurors
    assert 0.3 < tally.similarity < 0.7
    assert tally.leader == tally.ballots[1].key == tally.ballots[2].key


async def test_prose_too_far_apart_is_no_consensus():
    servicer = AggregatorServicer(UnitEmbedder(), Roster({}), embed_timeout_s=1)

    tally = (await aggregate(servicer, answers("a", "b", "c"), min_similarity=0.5)).tally

    assert (False, 0.0, 1.0) == (tally.consensus, tally.similarity, tally.divergence)
    assert "similarity of 0.00 to the others; 0.50 is needed" in tally.reason_text


@pytest.mark.parametrize("left_s", [5.0, 0.1])
async def test_without_an_embedding_words_decide_and_the_tally_says_so(left_s):
    embedder = BrokenEmbedder() if left_s > 1 else UnitEmbedder()
    servicer = AggregatorServicer(embedder, Roster({}), embed_timeout_s=1)

    reply = await aggregate(servicer, answers("red sky", "blue sea", "red sky!"), left_s=left_s)

    assert ("medoid_words", "red sky") == (reply.tally.method, reply.representative.text)
    assert ["no_embeddings"] == [*reply.tally.fallback_trail]


async def test_where_words_are_asked_for_they_are_no_fallback(servicer):
    tally = (await aggregate(servicer, answers("red sky", "blue sea", "red sky!"))).tally

    assert ("medoid_words", []) == (tally.method, [*tally.fallback_trail])


async def test_who_calls_no_tool_is_represented_by_words_where_the_embedder_is_lost():
    servicer = AggregatorServicer(BrokenEmbedder(), Roster({}), embed_timeout_s=1)
    given = [*answers("No tool fits.", "None fits."), calling("t", "now")]

    tally = (await aggregate(servicer, given, tools=[NOW])).tally

    assert ("plurality", ["no_embeddings"]) == (tally.method, [*tally.fallback_trail])


UNRELATED = answers(
    "Paris is the capital of France.",
    "To bake bread, let the dough rise for an hour.",
    "The court dismissed the appeal last Tuesday.",
)
ALIKE = answers(
    "Water boils at a lower temperature in the mountains because the air pressure is lower.",
    "In the mountains the air pressure is lower, so water boils at a lower temperature.",
    "Because the pressure of the air is lower in the mountains, the water boils sooner.",
)


@pytest.mark.parametrize("backend", ["minilm", "none"])
async def test_unrelated_prose_is_no_consensus_and_paraphrases_are(tmp_path, backend):
    async with composed(loaded(tmp_path, backend), engines={}) as servicer:
        unrelated = (await aggregate(servicer, UNRELATED)).tally
        alike = (await aggregate(servicer, ALIKE)).tally
        allowed = (await aggregate(servicer, UNRELATED, min_similarity=-1.0)).tally

    assert (False, True, True) == (unrelated.consensus, alike.consensus, allowed.consensus)
    assert "is needed" in unrelated.reason_text


async def test_prose_can_be_voted_on_by_its_letters(servicer):
    plurality = aggregator_pb2.AGGREGATION_METHOD_PLURALITY
    given = answers("Paris", "paris ", "Lyon")

    tally = (await aggregate(servicer, given, method=plurality)).tally

    assert ("plurality", ["j0", "j1"]) == (tally.method, tally.classes[0].jurors)


async def test_prose_tells_how_far_its_answer_is_from_the_mean_and_who_is_far_off():
    servicer = AggregatorServicer(Angles(0, 2, 4, 6, 8, 90), Roster({}), embed_timeout_s=1)

    tally = (await aggregate(servicer, answers(*"abcdef"))).tally

    assert tally.HasField("centroid_distance")
    assert 0 < tally.centroid_distance < 0.1 < tally.divergence
    assert ["j5"] == tally.outliers


async def test_of_two_prose_answers_the_prior_decides(servicer):
    tally = (await aggregate(servicer, answers("Bern", "Zurich"), weights=priors(0.6, 0.8))).tally

    leader = next(c for c in tally.classes if c.key == tally.leader)
    assert ["j1"] == list(leader.jurors)
