"""The aggregator tells who voted for what, and whose answer stands for it."""

import asyncio
import json
import time

import pytest

from gremium.v1 import aggregator_pb2, types_pb2
from services.core.errors import (
    DeadlineMissingError,
    DeadlineSpentError,
    InvalidRequestError,
)
from tests.unit.aggregator.serving import (
    JSON,
    LABELS,
    NOW,
    NUMBER,
    TEXT,
    aggregate,
    answers,
    calling,
    priors,
)


async def test_labels_are_voted_on(servicer):
    reply = await aggregate(servicer, answers("B", "Answer: B.", "C"), LABELS)

    tally = reply.tally
    assert ("plurality", True, "j0") == (tally.method, tally.consensus, reply.representative.juror)
    assert [('"B"', ["j0", "j1"]), ('"C"', ["j2"])] == [(c.value, c.jurors) for c in tally.classes]
    assert tally.leader == tally.classes[0].key == tally.ballots[1].key
    assert ["LABEL_IN_TEXT"] == tally.ballots[1].repairs
    assert (pytest.approx(2 / 3), pytest.approx(1 / 3)) == (tally.classes[0].share, tally.margin)


async def test_an_unreadable_answer_is_no_vote_and_says_why(servicer):
    tally = (await aggregate(servicer, answers("B", "perhaps", "B"), LABELS)).tally

    assert ("", "UNKNOWN_LABEL") == (tally.ballots[1].key, tally.ballots[1].reason)
    assert 1.0 == tally.classes[0].share


async def test_disagreement_is_no_consensus_and_still_has_a_representative(servicer):
    reply = await aggregate(servicer, answers("C", "A", "B"), LABELS)

    assert (False, True, "key") == (reply.tally.consensus, reply.tally.tie, reply.tally.tie_rule)
    assert reply.tally.reason_text
    assert reply.HasField("representative")


async def test_a_prior_breaks_a_tie(servicer):
    reply = await aggregate(servicer, answers("A", "B"), LABELS, weights=priors(0.6, 0.7))

    assert ("j1", "prior", True) == (
        reply.representative.juror,
        reply.tally.tie_rule,
        reply.tally.consensus,
    )


async def test_no_ballot_at_all_has_no_representative(servicer):
    reply = await aggregate(servicer, answers("x", "y"), LABELS)

    assert not reply.HasField("representative")
    assert "no answer gave a ballot: UNKNOWN_LABEL" == reply.tally.reason_text


async def test_a_single_answer_is_itself(servicer):
    for form, text in ((TEXT, "Paris."), (LABELS, "A")):
        tally = (await aggregate(servicer, answers(text), form)).tally

        assert ("single", True, 0.0) == (tally.method, tally.consensus, tally.divergence)


async def test_numbers_within_the_tolerance_are_one_class(servicer):
    tally = (await aggregate(servicer, answers("100", "It is 100.5", "200"), NUMBER)).tally

    assert [["j0", "j1"], ["j2"]] == [list(c.jurors) for c in tally.classes]


async def test_json_is_compared_by_its_meaning(servicer):
    given = answers('{"a":1,"b":2}', '```json\n{"b": 2.0, "a": 1}\n```', '{"a":2}')

    assert ["j0", "j1"] == (await aggregate(servicer, given, JSON)).tally.classes[0].jurors


async def test_not_to_call_a_tool_is_a_class_of_its_own(servicer):
    given = [*answers("It is late.", "Quite late it is."), calling("t", "now")]

    reply = await aggregate(servicer, given, tools=[NOW])

    assert [["j0", "j1"], ["t"]] == [list(c.jurors) for c in reply.tally.classes]
    assert '{"tool_calls":[]}' == reply.tally.classes[0].value
    assert "plurality" == reply.tally.method


COSTLY = types_pb2.OutputFormat(
    json=types_pb2.JsonFormat(schema_json=json.dumps({"items": {"pattern": "(a?b?){500}c"}}))
)
COSTLY_ANSWERS = answers(*[json.dumps(["ab" * 50] * 3000)] * 16)


async def test_costly_answers_leave_others_their_turn(servicer):
    async def longest_wait(until):
        longest = 0.0
        while not until.done():
            before = time.monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - before)
        return longest

    call = asyncio.create_task(aggregate(servicer, COSTLY_ANSWERS, COSTLY, left_s=60.0))

    assert await longest_wait(call) < 1.0
    assert {"TOO_COSTLY"} == {ballot.reason for ballot in call.result().tally.ballots}


async def test_costly_answers_end_with_the_deadline(servicer):
    before = time.monotonic()
    with pytest.raises(DeadlineSpentError):
        await aggregate(servicer, COSTLY_ANSWERS, COSTLY, left_s=0.3)

    assert time.monotonic() - before < 1.5


async def test_a_long_value_is_cut_on_a_whole_character(servicer):
    given = answers(json.dumps("é" * 4000))

    value = (await aggregate(servicer, given, JSON)).tally.classes[0].value

    assert 4095 == len(value.encode())


async def test_what_cannot_be_known_stays_unset(servicer):
    tally = (await aggregate(servicer, answers("A", "A"), LABELS)).tally

    assert not tally.HasField("similarity")
    assert not tally.classes[0].HasField("p_correct")


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        pytest.param([], {}, id="no answers"),
        pytest.param([*answers("A"), *answers("B")], {}, id="a juror twice"),
        pytest.param(
            answers("A"), {"weights": [*priors(0.1), *priors(0.2)]}, id="a weight twice"
        ),
        pytest.param(
            answers("A"),
            {"tools": [types_pb2.Tool(name="f", parameters_schema_json='{"type": "dict"}')]},
            id="no schema",
        ),
        pytest.param(
            answers("A"),
            {"scores": [aggregator_pb2.JudgeScore(juror="j0", score=0.5)] * 2},
            id="scored twice",
        ),
        pytest.param(
            answers("A"),
            {"weights": [aggregator_pb2.JurorWeight(juror="j0", weight=1e6 + 1)]},
            id="too much weight",
        ),
        pytest.param(
            answers("yes"),
            {"form": types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["Yes", "yes "]))},
            id="labels that mean the same",
        ),
    ],
)  # fmt: skip
async def test_refuses(servicer, given, fields):
    with pytest.raises(InvalidRequestError):
        await aggregate(servicer, given, **fields)


async def test_refuses_a_call_without_a_deadline(servicer):
    with pytest.raises(DeadlineMissingError):
        await aggregate(servicer, answers("A"), left_s=None)


async def test_what_is_no_prose_has_no_mean(servicer):
    tally = (await aggregate(servicer, answers("A", "A", "B"), LABELS)).tally

    assert (False, []) == (tally.HasField("centroid_distance"), list(tally.outliers))


@pytest.mark.parametrize(
    ("given", "form", "fields", "method"),
    [
        pytest.param(answers("A", "A", "B"), LABELS, {}, "plurality", id="plurality"),
        pytest.param(answers("A"), LABELS, {}, "single", id="one answer"),
        pytest.param(answers("Paris."), TEXT, {}, "single", id="one text"),
        pytest.param(answers("A b c", "A b c", "x"), TEXT, {}, "medoid_words", id="prose"),
        pytest.param(
            answers("A", "A", "B"), LABELS, {"method": "LOG_ODDS"}, "log_odds", id="log_odds"
        ),
        pytest.param(
            answers("A", "A", "B"), LABELS, {"method": "WEIGHTED"}, "weighted", id="weighted"
        ),
        pytest.param(
            answers('{"a":1,"b":1}', '{"a":1,"b":2}', '{"a":3,"b":2}'), JSON,
            {"method": "FIELDWISE"}, "fieldwise", id="fieldwise",
        ),
    ],
)  # fmt: skip
async def test_every_result_tells_how_sure_it_is_and_that_it_is_a_guess(
    servicer, given, form, fields, method
):
    if name := fields.pop("method", ""):
        fields["method"] = aggregator_pb2.AggregationMethod.Value(f"AGGREGATION_METHOD_{name}")

    tally = (
        await aggregate(
            servicer, given, form, weights=priors(0.8, 0.7, 0.6)[: len(given)], **fields
        )
    ).tally

    sure = tally.p_correct
    assert method == tally.method
    assert 0 <= sure.low < sure.value < sure.high <= 1
    assert (False, "") == (sure.calibrated, sure.calibration_id)
    assert 0 < tally.p_none <= 1 - sure.value
    assert {juror for c in tally.classes for juror in c.jurors} == {a.juror for a in given}
    assert sum(c.share for c in tally.classes) == pytest.approx(1)
    assert [] == [x for x in (tally.margin, tally.entropy, tally.divergence) if not 0 <= x <= 1]


async def test_the_chance_that_nobody_is_right_is_what_the_classes_leave(servicer):
    tally = (await aggregate(servicer, answers("A", "A", "B"), LABELS)).tally

    assert (pytest.approx(3 / 5), pytest.approx(1 / 5)) == (tally.p_correct.value, tally.p_none)


async def test_a_ballot_that_stands_alone_is_as_sure_as_its_juror(servicer):
    log_odds = aggregator_pb2.AGGREGATION_METHOD_LOG_ODDS
    weights = priors(0.9, 0.4, 0.4)

    tally = (
        await aggregate(servicer, answers("A", "B", "B"), LABELS, method=log_odds, weights=weights)
    ).tally

    assert (["gate"], pytest.approx(0.9)) == (list(tally.fallback_trail), tally.p_correct.value)
