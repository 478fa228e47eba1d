"""An abstention is a class of its own for every shape, with a prior and P(correct) of its own."""

import math

import pytest

from gremium.v1 import aggregator_pb2, types_pb2
from services.core.canonical import DECLINED, NO_CALL
from tests.unit.aggregator.serving import NOW, aggregate, answers, calling
from tests.unit.aggregator.test_fitted import fitted, weights

LABELS = types_pb2.OutputFormat(
    labels=types_pb2.LabelFormat(labels=["A", "B", "C"]), may_abstain=True
)
NUMBER = types_pb2.OutputFormat(
    number=types_pb2.NumberFormat(relative_tolerance=0.01), may_abstain=True
)
OBJECT = types_pb2.OutputFormat(
    json=types_pb2.JsonFormat(schema_json='{"type": "object"}'), may_abstain=True
)
TEXT = types_pb2.OutputFormat(may_abstain=True)
UNKNOWN, REFUSAL = "I don't know.", "I'm sorry, but I can't help with that."
GIVEN = {
    "labels": (LABELS, "A"),
    "number": (NUMBER, "42"),
    "json": (OBJECT, '{"a": 1}'),
    "text": (TEXT, "The bridge opened in 1901."),
}


async def tallied(servicer, given, form, **fields):
    return (await aggregate(servicer, answers(*given), form, **fields)).tally


@pytest.mark.parametrize(("form", "text"), GIVEN.values(), ids=GIVEN)
async def test_those_who_abstain_are_one_class_and_may_lead(servicer, form, text):
    reply = await aggregate(servicer, answers(UNKNOWN, text, REFUSAL), form)

    tally = reply.tally
    assert DECLINED.key == tally.leader == tally.abstain_key
    assert (["j0", "j2"], True) == (list(tally.classes[0].jurors), tally.consensus)
    assert UNKNOWN == reply.representative.text
    assert 0.0 < tally.p_correct.low < tally.p_correct.value < tally.p_correct.high < 1.0
    assert pytest.approx((2 / 3 * 3 + 1) / 5) == tally.p_correct.value


@pytest.mark.parametrize(("form", "text"), GIVEN.values(), ids=GIVEN)
async def test_where_answers_have_more_weight_they_lead(servicer, form, text):
    tally = await tallied(servicer, (UNKNOWN, text, text), form)

    assert (["j1", "j2"], True) == (list(tally.classes[0].jurors), tally.consensus)
    assert DECLINED.key == tally.abstain_key == tally.classes[1].key


@pytest.mark.parametrize("name", ["labels", "number", "json"])
async def test_what_may_not_abstain_is_unusable_and_a_refusal_told_apart(servicer, name):
    form, text = types_pb2.OutputFormat(), GIVEN[name][1]
    form.CopyFrom(GIVEN[name][0])
    form.may_abstain = False

    tally = await tallied(servicer, (UNKNOWN, text, REFUSAL), form)

    assert ["ABSTAINED", "", "REFUSED"] == [vote.reason for vote in tally.ballots]
    assert ("j1", "") == (tally.classes[0].representative, tally.abstain_key)


@pytest.mark.parametrize("name", ["labels", "number", "json"])
async def test_a_learned_prior_of_its_own_turns_who_leads(servicer, name):
    form, text = GIVEN[name]

    async def leads(score):
        known = fitted(abstain_score=score)
        tally = await tallied(servicer, (UNKNOWN, text), form, fitted=known)
        total = math.exp(1 + score) + math.exp(1) + 1
        likely = {found.key: found.p_correct.value for found in tally.classes}
        assert pytest.approx(math.exp(1 + score) / total) == likely[DECLINED.key]
        return tally.leader == DECLINED.key

    assert [False, True] == [await leads(-1.0), await leads(1.0)]


async def test_who_often_abstains_may_count_less_where_it_does(servicer):
    known = weights(2, 1)
    known[0].abstaining = -1.5

    tally = await tallied(servicer, (UNKNOWN, "A"), LABELS, weights=known, fitted=fitted())

    assert ["j1"] == list(tally.classes[0].jurors)


@pytest.mark.parametrize(("form", "text"), GIVEN.values(), ids=GIVEN)
@pytest.mark.parametrize(("weight", "leads"), [(1.0, True), (0.4, False), (0.0, False)])
async def test_unfitted_it_counts_as_configured(servicer, form, text, weight, leads):
    given = (UNKNOWN, text, REFUSAL)

    tally = await tallied(servicer, given, form, abstain_weight=weight)

    assert leads == (tally.leader == DECLINED.key)
    assert tally.consensus
    assert pytest.approx(2 * weight / (2 * weight + 1)) == next(
        found.share for found in tally.classes if found.key == DECLINED.key
    )


async def test_to_call_no_tool_counts_as_configured_too(servicer):
    given = [*answers("No tool fits.", "None does."), calling("j2", "now")]

    async def leader(weight):
        form, tools = types_pb2.OutputFormat(), [NOW]
        reply = await aggregate(servicer, given, form, tools=tools, abstain_weight=weight)
        return reply.tally.leader == NO_CALL.key == reply.tally.abstain_key

    assert [True, False] == [await leader(1.0), await leader(0.4)]


@pytest.mark.parametrize(
    "fields",
    [
        {"by_priors": aggregator_pb2.PriorVote(log_odds=True)},
        {"method": aggregator_pb2.AGGREGATION_METHOD_LOG_ODDS},
        {"method": aggregator_pb2.AGGREGATION_METHOD_WEIGHTED},
        {"method": aggregator_pb2.AGGREGATION_METHOD_FIELDWISE},
    ],
    ids=["priors", "log-odds", "weighted", "fieldwise"],
)
async def test_every_unfitted_rule_counts_it_so(servicer, fields):
    known = weights(1, 1, 1, priors=(0.7, 0.7, 0.7))

    leads = [
        (
            await tallied(
                servicer, (UNKNOWN, "A", UNKNOWN), LABELS, weights=known, **fields, **more
            )
        ).leader
        == DECLINED.key
        for more in ({}, {"abstain_weight": 0.4})
    ]

    assert [True, False] == leads


async def test_whose_ballot_stands_may_abstain(servicer):
    alone = aggregator_pb2.PriorVote(best_juror="j0")

    tally = await tallied(
        servicer, (UNKNOWN, "A", "A"), LABELS, by_priors=alone, abstain_weight=0.0
    )

    assert (DECLINED.key, True, ["gate"]) == (
        tally.leader,
        tally.consensus,
        list(tally.fallback_trail),
    )


async def test_numbers_within_the_tolerance_are_one_class_beside_it(servicer):
    tally = await tallied(servicer, ("42", UNKNOWN, "42.1"), NUMBER)

    assert ["j0", "j2"] == list(tally.classes[0].jurors)


async def test_prose_that_declines_never_stands_for_what_answers(servicer):
    answered = ("It opened in 1901.", "It was opened in 1901.", "It opened in 1901, I think.")

    reply = await aggregate(servicer, answers(UNKNOWN, *answered, UNKNOWN), TEXT)

    told = reply.tally
    assert reply.representative.text in answered
    (own,) = (found for found in told.classes if found.key == DECLINED.key)
    assert (["j0", "j4"], 0.4) == (list(own.jurors), pytest.approx(own.share))
    assert pytest.approx(1.0) == sum(found.share for found in told.classes)


async def test_prose_that_differs_agrees_at_least_that_there_is_an_answer(servicer):
    differing = ("Paris is nice.", "Seventeen ducks swam.", "It costs 5 francs.")

    tally = await tallied(servicer, (UNKNOWN, *differing, REFUSAL), TEXT)

    assert tally.leader != DECLINED.key


async def test_prose_is_led_by_who_declines_only_with_more_weight_than_all_others(servicer):
    differing = ("Paris is nice.", "Seventeen ducks swam.")

    even = await tallied(servicer, (UNKNOWN, *differing, REFUSAL), TEXT)
    more = await tallied(servicer, (UNKNOWN, *differing, REFUSAL, UNKNOWN), TEXT)

    assert [False, True] == [each.leader == DECLINED.key for each in (even, more)]
    assert more.consensus
    assert pytest.approx(0.6) == more.classes[0].share
    assert pytest.approx((3 + 1) / 7) == more.p_correct.value
    assert even.divergence < 1.0 >= more.divergence > 0.6


async def test_prose_that_declines_counts_as_configured(servicer):
    given = (UNKNOWN, "Paris is nice.", "Seventeen ducks swam.", REFUSAL, UNKNOWN)

    tally = await tallied(servicer, given, TEXT, abstain_weight=0.5)

    (own,) = (found for found in tally.classes if found.key == DECLINED.key)
    assert tally.leader != DECLINED.key
    assert pytest.approx(1.5 / 3.5) == own.share


FIELDWISE = aggregator_pb2.AGGREGATION_METHOD_FIELDWISE


@pytest.mark.parametrize(("weight", "leads"), [(1.0, True), (0.5, False)])
async def test_field_by_field_it_counts_as_configured(servicer, weight, leads):
    given = ("null", "null", "null", '{"a": 1, "b": 1}', '{"a": 1, "b": 2}')

    tally = await tallied(
        servicer, given, OBJECT, method=FIELDWISE, abstain_weight=weight, min_share=0.65
    )

    assert "fieldwise" == tally.method
    assert leads == (tally.leader == DECLINED.key)


async def test_it_is_outweighed_by_what_is_put_together(servicer):
    objects = ('{"a": 1, "b": 1, "c": 1}', '{"a": 1, "b": 2, "c": 2}', '{"a": 2, "b": 1, "c": 2}')

    tally = await tallied(
        servicer,
        ("null", "null", "null", "null", *objects),
        OBJECT,
        method=FIELDWISE,
        allow_splicing=True,
        abstain_weight=0.25,
        min_share=0.3,
    )

    assert ("spliced", True) == (tally.method, tally.consensus)
