"""Where no whole answer has a majority, the one that agrees best field by field leads."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator_svc.fieldwise import by_fields, field_vote
from aggregator_svc.voting import plurality
from gremium.v1 import aggregator_pb2, types_pb2
from tests.unit.aggregator.serving import JSON, aggregate, answers, priors

FIELDWISE = aggregator_pb2.AGGREGATION_METHOD_FIELDWISE
NEAR = ['{"a":1,"b":1,"c":1}', '{"a":1,"b":2,"c":1}', '{"a":3,"b":2,"c":1}']
TOOL = types_pb2.Tool(name="t", parameters_schema_json='{"type":"object"}')
VALUES = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3), min_size=1, max_size=6
)


def chosen(values, weights=None, known=None):
    n = len(values)
    weights = np.ones(n) if weights is None else np.array(weights)
    return field_vote(values, weights, np.full(n, np.nan) if known is None else np.array(known))


def calling(juror, *calls):
    made = [types_pb2.ToolCall(name="t", arguments_json=json.dumps(args)) for args in calls]
    return types_pb2.Answer(juror=juror, tool_calls=made)


async def test_the_answer_nearest_to_every_majority_leads(servicer):
    reply = await aggregate(servicer, answers(*NEAR), JSON, method=FIELDWISE)

    tally = reply.tally
    assert ("fieldwise", "j1", True) == (tally.method, reply.representative.juror, tally.consensus)
    assert NEAR[1] == reply.representative.text


async def test_by_plurality_alone_they_have_no_consensus(servicer):
    assert not (await aggregate(servicer, answers(*NEAR), JSON)).tally.consensus


async def test_a_majority_of_whole_answers_is_plurality(servicer):
    given = answers(NEAR[0], NEAR[0], NEAR[2])

    tally = (await aggregate(servicer, given, JSON, method=FIELDWISE)).tally

    assert ("plurality", ["share_reached"]) == (tally.method, [*tally.fallback_trail])


async def test_fields_of_different_answers_are_never_mixed(servicer):
    given = answers('{"a":1,"b":2,"c":9}', '{"a":1,"b":8,"c":3}', '{"a":7,"b":2,"c":3}')

    reply = await aggregate(servicer, given, JSON, method=FIELDWISE)

    assert reply.representative.text in {answer.text for answer in given}
    assert not reply.tally.consensus
    assert "no answer says at every field" in reply.tally.reason_text


async def test_which_tools_are_called_is_voted_on_first(servicer):
    given = [
        calling("j0", {"x": 1}),
        calling("j1", {"x": 1}, {"x": 2}),
        calling("j2", {"x": 1}, {"x": 3}),
        calling("j3", {"x": 1}, {"x": 3, "y": 0}),
    ]

    reply = await aggregate(
        servicer, given, tools=[TOOL], method=FIELDWISE, weights=priors(0.99, 0.5, 0.6, 0.5)
    )

    assert "j2" == reply.representative.juror


def test_a_field_that_most_do_not_have_is_voted_out():
    assert 1 == chosen([{"a": 1, "b": 1}, {"a": 1}, {"a": 1, "c": 2}]).chosen


def test_weights_count_at_every_field():
    assert 0 == chosen([{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 2, "b": 3}], [3, 1, 1]).chosen


def test_a_tie_goes_to_the_better_prior():
    assert 1 == chosen([{"a": 1}, {"a": 2}], known=[0.5, 0.6]).chosen


def test_rejects_nothing_to_vote_on():
    with pytest.raises(ValueError, match="not be empty"):
        field_vote([], np.ones(0), np.ones(0))


@given(VALUES, st.randoms())
def test_the_order_of_answers_does_not_count(values, random):
    shuffled = random.sample(values, len(values))

    found, again = chosen(values), chosen(shuffled)
    assert values[found.chosen] == shuffled[again.chosen]
    assert (found.agreement, found.support) == (again.agreement, again.support)


@given(VALUES)
def test_figures_stay_in_range(values):
    found = chosen(values)

    assert 0.0 <= found.agreement <= 1.0
    assert 0.0 < found.support <= 1.0


@pytest.mark.parametrize(("min_share", "why"), [(0.4, ""), (0.5, "a field has 40% of the weight")])
def test_each_field_needs_the_share_of_all_weight(min_share, why):
    values, weights = [{"a": 1}, [1], 7], np.array([2.0, 1.5, 1.5])
    count = plurality(["x", "y", "z"], weights, np.full(3, np.nan), [0] * 3, min_share=0.0)
    found = by_fields(count, chosen(values, weights), min_share=min_share)

    assert (not why, 0) == (found.consensus, found.leader.representative)
    assert found.reason_text.startswith(why)
