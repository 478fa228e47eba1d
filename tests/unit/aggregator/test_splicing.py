"""Where it is allowed, an answer is put together from the fields of several, and says so."""

import json
import time

import numpy as np
import pytest
from hypothesis import given as every
from hypothesis import strategies as st

from aggregator_svc.fieldwise import field_vote, fields_of
from aggregator_svc.splicing import assembled, splice
from gremium.v1 import aggregator_pb2, types_pb2
from tests.unit.aggregator.serving import JSON, aggregate, answers, priors

FIELDWISE = aggregator_pb2.AGGREGATION_METHOD_FIELDWISE
MIXED = ('{"a":"One","b":2,"c":9}', '{"a":"one","b":8,"c":"Three"}', '{"a":7,"b":2,"c":"three"}')
CITY = types_pb2.Tool(
    name="weather",
    parameters_schema_json=json.dumps(
        {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
    ),
)


async def splicing(servicer, given, form=JSON, **fields):
    return await aggregate(servicer, given, form, method=FIELDWISE, allow_splicing=True, **fields)


def schema(**properties):
    text = json.dumps({"type": "object", **properties})
    return types_pb2.OutputFormat(json=types_pb2.JsonFormat(schema_json=text))


async def test_what_most_say_at_each_field_is_put_together_in_their_own_words(servicer):
    reply = await splicing(servicer, answers(*MIXED), weights=priors(0.9, 0.7, 0.5))

    assert {"a": "One", "b": 2, "c": "Three"} == json.loads(reply.representative.text)
    assert ("spliced", True, "") == (
        reply.tally.method,
        reply.tally.consensus,
        reply.tally.reason_text,
    )


async def test_the_tally_names_whose_field_it_is_and_what_is_behind_it(servicer):
    tally = (await splicing(servicer, answers(*MIXED), weights=priors(0.9, 0.7, 0.5))).tally

    (field,) = tally.spliced
    assert ("/c", "j1", pytest.approx(2 / 3)) == (field.pointer, field.juror, field.share)


async def test_it_is_a_class_of_its_own_that_nobody_voted_for(servicer):
    tally = (await splicing(servicer, answers(*MIXED), weights=priors(0.9, 0.7, 0.5))).tally

    leader = next(c for c in tally.classes if c.key == tally.leader)
    assert ([], "j0", pytest.approx(2 / 3)) == (leader.jurors, leader.representative, leader.share)
    assert '{"a":"one","b":2,"c":"three"}' == leader.value
    assert 4 == len(tally.classes)
    assert leader.key not in {ballot.key for ballot in tally.ballots}


async def test_without_leave_nothing_is_put_together(servicer):
    reply = await aggregate(servicer, answers(*MIXED), JSON, method=FIELDWISE)

    assert reply.representative.text in MIXED
    assert ("fieldwise", False, []) == (
        reply.tally.method,
        reply.tally.consensus,
        list(reply.tally.spliced),
    )


async def test_an_answer_that_says_it_all_is_preferred_to_a_mixture(servicer):
    given = answers('{"a":1,"b":1}', '{"a":1,"b":2}', '{"a":3,"b":2}')

    tally = (await splicing(servicer, given)).tally

    assert ("fieldwise", []) == (tally.method, list(tally.spliced))


async def test_a_mixture_that_breaks_the_schema_is_refused_and_the_trail_says_so(servicer):
    own = [{"properties": {key: {"const": value}}} for key, value in (("c", 9), ("b", 8), ("a", 7))]
    given = answers(*MIXED)

    reply = await splicing(servicer, given, schema(anyOf=own), weights=priors(0.9, 0.7, 0.5))

    assert ["splice_refused"] == list(reply.tally.fallback_trail)
    assert not reply.tally.consensus
    assert reply.representative.text in {answer.text for answer in given}


async def test_a_field_that_most_leave_out_is_left_out(servicer):
    given = answers('{"a":1,"b":2,"x":5}', '{"a":1,"b":3}', '{"a":4,"b":2}')

    reply = await splicing(servicer, given, weights=priors(0.9, 0.5, 0.5))

    assert {"a": 1, "b": 2} == json.loads(reply.representative.text)
    assert [("/x", "")] == [(f.pointer, f.juror) for f in reply.tally.spliced]


async def test_arguments_of_calls_are_put_together_as_calls(servicer):
    def calling(juror, **arguments):
        text = json.dumps(arguments)
        call = types_pb2.ToolCall(id="x", name="weather", arguments_json=text)
        return types_pb2.Answer(juror=juror, tool_calls=[call])

    given = [
        calling("j0", city="Bern", days=3, unit="C"),
        calling("j1", city="Bern", days=2, unit="F"),
        calling("j2", city="Rome", days=3, unit="F"),
    ]

    reply = await splicing(
        servicer, given, types_pb2.OutputFormat(), tools=[CITY], weights=priors(0.9, 0.8, 0.5)
    )

    (call,) = reply.representative.tool_calls
    assert {"city": "Bern", "days": 3, "unit": "F"} == json.loads(call.arguments_json)
    assert ("weather", "spliced") == (call.name, reply.tally.method)
    assert ["/0/arguments/unit"] == [field.pointer for field in reply.tally.spliced]


async def test_it_is_of_every_family_that_gave_a_field(servicer):
    given = answers(*MIXED)
    for answer, family in zip(given, ("gpt", "claude", "llama"), strict=True):
        answer.family = family

    reply = await splicing(servicer, given, weights=priors(0.9, 0.7, 0.5))

    assert ("j0", "gpt+claude") == (reply.representative.juror, reply.representative.family)


@pytest.mark.parametrize(
    "families",
    [pytest.param(("gpt", ""), id="unknown"), pytest.param(("g" * 200, "c" * 200), id="too long")],
)
async def test_where_not_every_family_can_be_told_nobody_is_independent(servicer, families):
    given = answers(*MIXED)
    given[0].family, given[1].family = families

    reply = await splicing(servicer, given, weights=priors(0.9, 0.7, 0.5))

    assert ("spliced", "") == (reply.tally.method, reply.representative.family)


async def test_a_field_with_too_little_behind_it_is_not_put_together(servicer):
    tally = (await splicing(servicer, answers(*MIXED), min_share=0.7)).tally

    assert ("fieldwise", False) == (tally.method, tally.consensus)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_the_order_of_arrival_does_not_matter(servicer, order):
    given = answers(*MIXED)

    reply = await splicing(servicer, [given[i] for i in order], weights=priors(0.9, 0.7, 0.5))

    assert {"a": "One", "b": 2, "c": "Three"} == json.loads(reply.representative.text)


def spliced(values, weights=None, known=None, *, min_share=0.0):
    weights = np.ones(len(values)) if weights is None else np.array(weights)
    known = np.full(len(values), np.nan) if known is None else np.array(known)
    vote = field_vote(values, weights, known)
    return vote, splice(vote, values, weights, known, min_share=min_share)


def test_a_tie_at_a_field_is_nobodys_choice():
    _, found = spliced([{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 2}])

    assert found is None


def test_where_most_have_a_field_each_otherwise_it_is_not_dropped():
    values = [{"a": {key: 1}, "b": nth % 2} for nth, key in enumerate("xyz")]

    vote, found = spliced(values)

    assert "" == vote.winners[("a", "x")]
    assert found is None


def test_fields_that_most_leave_out_do_not_leave_an_empty_answer():
    assert spliced([{"a": 1}, {"b": 1}, {"c": 1}])[1] is None


LEAVES = st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2)
NESTED = st.dictionaries(
    st.sampled_from("abc"), LEAVES | st.dictionaries(st.sampled_from("xy"), LEAVES), max_size=3
)


JURORS = st.tuples(NESTED, st.integers(1, 3), st.sampled_from([0.5, 0.7, 0.9]))


@every(st.lists(JURORS, min_size=2, max_size=6))
def test_what_is_put_together_has_at_every_field_what_most_say(jurors):
    values, weights, known = (list(column) for column in zip(*jurors, strict=True))
    vote, found = spliced(values, [float(weight) for weight in weights], known)
    if found is None:
        return

    whole = assembled(found, dict(enumerate(values)))
    assert {p: form for p, form in vote.winners.items() if form} == fields_of(whole)
    assert whole not in values


async def test_many_fields_are_put_together_without_a_long_wait(servicer):
    fields = {f"k{nth}": nth for nth in range(3000)}
    own = [{**fields, "a": a, "b": b, "c": c} for a, b, c in ((1, 2, 9), (1, 8, 3), (7, 2, 3))]
    before = time.monotonic()

    tally = (await splicing(servicer, answers(*map(json.dumps, own)))).tally

    assert "spliced" == tally.method
    assert time.monotonic() - before < 3.0


async def test_json_that_looks_like_calls_stays_json(servicer):
    own = [
        json.dumps({"tool_calls": [{"name": "t", "arguments": json.loads(text)}]}) for text in MIXED
    ]

    reply = await splicing(servicer, answers(*own), weights=priors(0.9, 0.7, 0.5))

    (call,) = json.loads(reply.representative.text)["tool_calls"]
    assert {"a": "One", "b": 2, "c": "Three"} == call["arguments"]
    assert ["/tool_calls/0/arguments/c"] == [field.pointer for field in reply.tally.spliced]


async def test_calls_written_into_the_text_are_put_together_as_calls(servicer):
    own = [
        f"weather(city={city!r}, days={days}, unit={unit!r})"
        for city, days, unit in (("Bern", 3, "C"), ("Bern", 2, "F"), ("Rome", 3, "F"))
    ]

    reply = await splicing(
        servicer,
        answers(*own),
        types_pb2.OutputFormat(),
        tools=[CITY],
        weights=priors(0.9, 0.8, 0.5),
    )

    (call,) = reply.representative.tool_calls
    assert {"city": "Bern", "days": 3, "unit": "F"} == json.loads(call.arguments_json)
