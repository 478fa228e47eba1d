"""A judge's scores weigh the votes."""

import pytest

from gremium.v1 import aggregator_pb2
from tests.unit.aggregator.serving import LABELS, aggregate, answers


def scored(*values):
    scores = [
        aggregator_pb2.JudgeScore(juror=f"j{i}", score=value)
        for i, value in enumerate(values)
        if value is not None
    ]
    return {"method": aggregator_pb2.AGGREGATION_METHOD_WEIGHTED, "scores": scores}


async def test_a_judge_may_outweigh_the_majority(servicer):
    reply = await aggregate(servicer, answers("A", "A", "B"), LABELS, **scored(-0.8, -0.8, 1.0))

    tally = reply.tally
    assert ("weighted", True, "j2") == (tally.method, tally.consensus, reply.representative.juror)
    assert [1.0, pytest.approx(0.2)] == [found.weight for found in tally.classes]


async def test_the_best_scored_answer_stands_for_its_class(servicer):
    reply = await aggregate(servicer, answers("A", "A", "B"), LABELS, **scored(0.1, 0.6, -0.7))

    assert "j1" == reply.representative.juror


async def test_an_answer_without_a_score_counts_with_the_mean(servicer):
    reply = await aggregate(servicer, answers("A", "B", "B"), LABELS, **scored(1.0, -1.0, None))

    assert [1.0, 0.5] == [found.weight for found in reply.tally.classes]


async def test_without_scores_the_weights_count_alone(servicer):
    reply = await aggregate(servicer, answers("A", "B", "B"), LABELS, **scored(None, None, None))

    assert [2.0, 1.0] == [found.weight for found in reply.tally.classes]
    assert ["no_scores"] == [*reply.tally.fallback_trail]


async def test_where_there_was_nothing_to_compare_no_score_is_missed(servicer):
    reply = await aggregate(servicer, answers("A"), LABELS, **scored(None))

    assert [] == [*reply.tally.fallback_trail]


async def test_with_a_score_there_is_nothing_to_fall_back_from(servicer):
    reply = await aggregate(servicer, answers("A", "B", "B"), LABELS, **scored(None, 0.5, None))

    assert [] == [*reply.tally.fallback_trail]


async def test_the_judges_choice_among_related_prose_leads(servicer):
    texts = ["The sky is blue because of Rayleigh scattering of light in air.",
             "The sky is blue because of scattering of light in the air above.",
             "The sky looks blue: air scatters blue light, says Rayleigh."]  # fmt: skip
    reply = await aggregate(servicer, answers(*texts), **scored(-0.5, -0.5, 1.0))

    tally = reply.tally
    assert ("weighted", True, "j2") == (tally.method, tally.consensus, reply.representative.juror)
