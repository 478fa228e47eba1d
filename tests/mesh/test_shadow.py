"""What a dearer tier answered is asked of a cheaper one, too: after the reply, and compared."""

import json

import pytest

from gremium.v1 import shadow_pb2, types_pb2
from services.ledger.reported import Which, shadows
from tests.mesh.meshes import TIMEOUT_S, request
from tests.mesh.shadowed import SHADOW, ended, prefers, recorded, route, shown_of
from tests.upstream import Reply

EQUAL, DIFFERENT = shadow_pb2.SHADOW_VERDICT_EQUAL, shadow_pb2.SHADOW_VERDICT_DIFFERENT
BETTER, WORSE = shadow_pb2.SHADOW_VERDICT_BETTER, shadow_pb2.SHADOW_VERDICT_WORSE
UNJUDGED, FAILED = shadow_pb2.SHADOW_VERDICT_UNJUDGED, shadow_pb2.SHADOW_VERDICT_FAILED

LABELS = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["yes", "no"]))
JSON = types_pb2.OutputFormat(json=types_pb2.JsonFormat())
WEATHER = types_pb2.Tool(
    name="weather",
    parameters_schema_json=json.dumps({"type": "object", "properties": {"city": {}}}),
)
JUDGED = {"shadow": {**SHADOW, "judges": ["judge"]}}


@pytest.fixture
def transport():
    """How answers compare does not depend on it."""
    return "local"


def said(small, large, **others):
    return {"small": Reply(text=small), "large": Reply(text=large), **others}


@pytest.mark.parametrize(
    ("shape", "texts", "verdict"),
    [
        pytest.param(LABELS, ("Yes.", "yes"), EQUAL, id="the same label"),
        pytest.param(LABELS, ("no", "yes"), DIFFERENT, id="another label"),
        pytest.param(JSON, ('{"b": 1, "a": 2}', '{"a": 2, "b": 1}'), EQUAL, id="the same JSON"),
        pytest.param(JSON, ('{"a": 1}', '{"a": 2}'), DIFFERENT, id="other JSON"),
    ],
)
async def test_structured_answers_are_compared_by_their_ballots(
    serve, tmp_path, shape, texts, verdict
):
    gateway = await serve(route(), said(*texts))

    reply = await gateway.ask(shape=shape)

    (record,) = await ended(tmp_path)
    assert ("large", verdict, "ballots", "") == (
        reply.answer.juror,
        record.verdict,
        record.method,
        record.reason,
    )


@pytest.mark.parametrize(
    ("city", "verdict"), [("Paris", EQUAL), ("Rome", DIFFERENT)], ids=["same", "other"]
)
async def test_tool_calls_are_compared_by_what_they_call(serve, tmp_path, city, verdict):
    script = {
        "small": Reply(text="", tool_calls=[("weather", {"city": city})]),
        "large": Reply(text="", tool_calls=[("weather", {"city": "Paris"})]),
    }
    gateway = await serve(route(**JUDGED), script)
    asked = request("What is the weather in Paris?")
    asked.prompt.tools.append(WEATHER)

    await gateway.stub.Ask(asked, timeout=TIMEOUT_S)

    (record,) = await ended(tmp_path)
    assert (verdict, "ballots") == (record.verdict, record.method)


async def test_a_report_reads_what_the_gateway_recorded(serve, tmp_path):
    gateway = await serve(route(), said("yes", "yes"))
    for _ in range(2):
        await gateway.ask(shape=LABELS)
    kept = await ended(tmp_path, count=2)

    read = list(shadows(tmp_path / ".gremium" / "ledger.sqlite", Which(ensembles=["main"])))

    assert sorted(each.request_id for each in kept) == sorted(each.request_id for each in read)
    assert [EQUAL] * 2 == [each.verdict for each in read]


async def test_the_record_tells_who_what_and_how_likely(serve, tmp_path):
    gateway = await serve(route(), said("yes", "yes"))

    reply = await gateway.ask(shape=LABELS)

    (record,), begun = await ended(tmp_path), recorded(tmp_path)[0]
    assert (reply.request_id, "main", "dear", "cheap", 1.0) == (
        record.request_id,
        record.ensemble,
        record.tier_used,
        record.tier_shadow,
        record.propensity,
    )
    assert reply.manifest.config_sha256 == record.config_sha256
    assert {"small"} == {part.model for part in record.participations if part.model}
    assert pytest.approx(0.012) == record.used_cost_usd == record.shadow_cost_usd
    assert 0.0 == record.comparison_cost_usd
    assert record.shadow_time.ToNanoseconds() > 0 < record.used_time.ToNanoseconds()
    assert (begun.start_time, 0) == (record.start_time, len(begun.participations))
    assert begun.reserved_usd > record.shadow_cost_usd


@pytest.mark.parametrize(
    ("judge", "verdict", "score"),
    [
        pytest.param(prefers("capital"), WORSE, -1.0, id="the dearer one"),
        pytest.param(prefers("sure"), BETTER, 1.0, id="the cheaper one"),
        pytest.param(prefers(), EQUAL, 0.0, id="neither"),
    ],
)
async def test_prose_is_compared_by_a_judge_in_both_orders(serve, tmp_path, judge, verdict, score):
    script = said("Paris, for sure.", "The capital is Paris.", judge=judge)
    gateway = await serve(route(**JUDGED), script)

    await gateway.ask("What is the capital of France?")

    (record,) = await ended(tmp_path)
    assert (verdict, "judge", score) == (record.verdict, record.method, record.score)
    assert 2 == gateway.provider.calls_of("judge")
    assert pytest.approx(0.024) == record.comparison_cost_usd


async def test_the_judge_does_not_learn_who_wrote_what(serve, tmp_path):
    script = said("Paris, for sure.", "The capital is Paris.", judge=prefers())
    gateway = await serve(route(**JUDGED), script)

    await gateway.ask("What is the capital of France?")
    await ended(tmp_path)

    shown = [shown_of(each) for each in gateway.provider.requests if each["model"] == "judge"]
    names = ("small", "large", "cheap", "dear", "family of", "shadow")
    assert [] == [name for text in shown for name in names if name in text]
    assert 2 == len({text.index("for sure") < text.index("The capital") for text in shown})


async def test_a_judge_that_goes_by_the_order_has_found_nothing(serve, tmp_path):
    first = Reply(text=json.dumps({"evidence": "", "better": "one"}))
    gateway = await serve(route(**JUDGED), said("Paris, sure.", "It is Paris.", judge=first))

    await gateway.ask("What is the capital of France?")

    (record,) = await ended(tmp_path)
    assert (UNJUDGED, "ORDER_DECIDED") == (record.verdict, record.reason)


async def test_a_judge_that_fails_leaves_it_open(serve, tmp_path):
    script = said("Paris, sure.", "It is Paris.", judge=Reply(status=500))
    gateway = await serve(route(**JUDGED), script)

    await gateway.ask("What is the capital of France?")

    (record,) = await ended(tmp_path)
    assert (UNJUDGED, "NOT_COMPARED") == (record.verdict, record.reason)


async def test_the_same_words_need_no_judge(serve, tmp_path):
    gateway = await serve(route(**JUDGED), said("It is Paris.", "It is Paris."))

    await gateway.ask("What is the capital of France?")

    (record,) = await ended(tmp_path)
    assert (EQUAL, "ballots", 0) == (
        record.verdict,
        record.method,
        gateway.provider.calls_of("judge"),
    )


@pytest.mark.parametrize(
    "small",
    [
        pytest.param(Reply(status=500), id="down"),
        pytest.param(Reply(text="Well, who knows."), id="no label"),
    ],
)
async def test_a_cheaper_tier_that_fails_is_no_difference(serve, tmp_path, small):
    gateway = await serve(route(), {"small": small, "large": Reply(text="yes")})

    await gateway.ask(shape=LABELS)

    (record,) = await ended(tmp_path)
    assert (FAILED, "QUORUM_NOT_REACHED", "") == (record.verdict, record.reason, record.method)
    assert b"who knows" not in record.SerializeToString()
    assert not any(part.reason_text for part in record.participations)


async def test_a_cheaper_jury_at_odds_is_no_difference(serve, tmp_path):
    split = {"name": "cheap", "jurors": [{"model": "small"}, {"model": "other"}]}
    dear = {"name": "dear", "jurors": [{"model": "large"}]}
    script = {**said("no", "yes"), "other": Reply(text="yes")}
    gateway = await serve(route(tiers=[split, dear]), script)

    await gateway.ask(shape=LABELS)

    (record,) = await ended(tmp_path)
    assert (FAILED, "NO_CONSENSUS") == (record.verdict, record.reason)
