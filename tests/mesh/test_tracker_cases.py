"""What went wrong in other ensembles, by their public trackers, goes right through this mesh."""

import json
from itertools import permutations

import grpc
import pytest

from gremium.v1 import manifest_pb2, types_pb2
from tests.mesh.meshes import reason
from tests.mesh.test_ask import ANSWERED, LABELS, PASS, PROSE, parts
from tests.upstream import Reply

JSON = types_pb2.OutputFormat(json=types_pb2.JsonFormat())
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
DOWN = Reply(status=503)
FIFTEEN = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def jurors(*names):
    return [{"model": name} for name in names]


def judged(*models):
    return {"models": list(models), "timeout_s": 1}


def passing(**changed):
    """A verdict that passes, with another finding on safety."""
    whole = json.loads(PASS.text)
    return Reply(text=json.dumps({**whole, "safety": {**whole["safety"], **changed}}))


def lacking(key):
    """A verdict that would pass if its finding on safety had this key."""
    whole = json.loads(PASS.text)
    safety = {name: value for name, value in whole["safety"].items() if name != key}
    return Reply(text=json.dumps({**whole, "safety": safety}))


async def test_blanks_and_errors_are_no_part_of_a_quorum(serve):
    ensemble = {"jurors": jurors("a", "whitespace", "down"), "quorum": 2}
    gateway = await serve(ensemble, {"down": DOWN})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(request_id="blank")

    manifest = await gateway.manifest("blank")
    assert "QUORUM_NOT_REACHED" == reason(caught.value)
    assert {"a": "ANSWERED", "whitespace": "UNUSABLE", "down": "FAILED"} == {
        name: status for name, (status, _) in parts(manifest).items()
    }
    assert ["a"] == [answer.juror for answer in manifest.answers]


@pytest.mark.parametrize("said", [("yes", "yes"), ("yes", "no")], ids=["agreed", "split"])
async def test_the_order_of_arrival_does_not_count(serve, said):
    bodies = dict(zip("ab", [{"text": text} for text in said], strict=True))
    bodies["c"] = {"status": 500}
    ensemble = {"jurors": jurors("a", "b", "c"), "quorum": 2, "grace_s": 1}
    delays_s = dict.fromkeys("abc", 0.0)
    script = {
        name: lambda _, name=name: Reply(**bodies[name], delay_s=delays_s[name]) for name in "abc"
    }
    gateway = await serve(ensemble, script)
    outcomes = set()
    for order in permutations((0.0, 0.04, 0.08)):
        delays_s.update(zip("abc", order, strict=True))
        reply = await gateway.ask(shape=LABELS)
        (tally,) = reply.manifest.tallies
        jurors_by_class = tuple((found.value, *found.jurors) for found in tally.classes)
        outcomes.add((reply.outcome, reply.answer.text, tally.leader, jurors_by_class))

    assert 1 == len(outcomes)


async def test_json_is_told_apart_by_its_meaning_alone(serve):
    said = {"a": '{"a":1,"b":"x"}', "b": '{"b":"x ","a":1.0}', "c": '{"a":"1","b":"x"}'}
    gateway = await serve(
        {"jurors": jurors(*said), "quorum": 3},
        {name: Reply(text=text) for name, text in said.items()},
    )

    reply = await gateway.ask(shape=JSON)

    assert [["a", "b"], ["c"]] == [list(c.jurors) for c in reply.manifest.tallies[0].classes]


async def test_the_next_tier_is_asked_with_the_same_schema(serve):
    shape = types_pb2.OutputFormat(json=types_pb2.JsonFormat(schema_json=json.dumps(SCHEMA)))
    tiers = [{"name": name, "jurors": jurors(name)} for name in ("small", "large")]
    ensemble = {"pattern": "route", "min_adequacy": 0.01, "tiers": tiers}
    gateway = await serve(ensemble, {"small": DOWN, "large": Reply(text='{"n": 4}')})

    reply = await gateway.ask(shape=shape)

    schemas = {
        body["model"]: body["response_format"]["json_schema"]["schema"]
        for body in gateway.provider.requests
    }
    assert '{"n": 4}' == reply.answer.text
    assert {"small": SCHEMA, "large": SCHEMA} == schemas


async def test_an_answer_of_the_next_tier_that_breaks_the_schema_is_none(serve):
    shape = types_pb2.OutputFormat(json=types_pb2.JsonFormat(schema_json=json.dumps(SCHEMA)))
    tiers = [{"name": name, "jurors": jurors(name)} for name in ("small", "large")]
    ensemble = {"pattern": "route", "min_adequacy": 0.01, "tiers": tiers}
    gateway = await serve(ensemble, {"small": DOWN, "large": Reply(text='{"m": 4}')})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask(shape=shape, request_id="broken")

    assert "QUORUM_NOT_REACHED" == reason(caught.value)
    assert ("UNUSABLE", "SCHEMA_INVALID") == parts(await gateway.manifest("broken"))["large"]


async def test_several_answers_of_one_model_are_several_calls(serve):
    seats = [{"model": "a", "name": name, "instruction": name} for name in ("x", "y", "z")]
    gateway = await serve({"jurors": seats, "quorum": 3})

    reply = await gateway.ask()

    assert ({"x", "y", "z"}, 3) == (
        {answer.juror for answer in reply.manifest.answers},
        gateway.provider.calls,
    )
    assert all("n" not in body for body in gateway.provider.requests)


async def test_usage_is_the_sum_of_all_who_were_asked(serve):
    said = {name: Reply(text="4", usage=FIFTEEN) for name in "ab"}
    script = {**said, "judge": Reply(text=PASS.text, usage=FIFTEEN)}
    ensemble = {"jurors": jurors("a", "b"), "quorum": 2, "judge": judged("judge")}
    gateway = await serve(ensemble, script)

    usage = (await gateway.ask()).manifest.usage

    assert 45 == usage.input_tokens + usage.output_tokens


async def test_a_judge_that_was_the_dead_juror_leaves_the_answer_unjudged(serve):
    ensemble = {"jurors": jurors("a", "b", "dead"), "quorum": 2, "judge": judged("dead")}
    gateway = await serve(ensemble, {"dead": DOWN})

    reply = await gateway.ask()

    assert ("4", ANSWERED, True) == (reply.answer.text, reply.outcome, reply.unjudged)


async def test_the_next_judge_stands_in_for_one_that_was_the_dead_juror(serve):
    judges = judged("dead", "other")
    ensemble = {"jurors": jurors("a", "b", "dead"), "quorum": 2, "judge": judges}
    gateway = await serve(ensemble, {"dead": DOWN, "other": PASS})

    reply = await gateway.ask()

    (verdict,) = reply.manifest.verdicts
    assert ("other", manifest_pb2.VERDICT_KIND_PASS, False) == (
        verdict.judge,
        verdict.kind,
        reply.unjudged,
    )


async def test_a_lone_answer_is_compared_with_nobody_and_says_so(serve):
    ensemble = {
        "jurors": jurors("a", "x", "y", "z"),
        "quorum": 1,
        "grace_s": 1,
        "judge": judged("judge"),
        "aggregate": {"method": "weighted"},
    }
    gateway = await serve(ensemble, {**dict.fromkeys("xyz", DOWN), "judge": PASS})

    reply = await gateway.ask()

    (tally,) = reply.manifest.tallies
    assert ("single", 1, []) == (tally.method, len(tally.ballots), list(tally.standings))
    assert ("4", True, False) == (reply.answer.text, reply.degraded, reply.unjudged)
    asked = [body["model"] for body in gateway.provider.requests]
    assert 1 == asked.count("judge")


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(passing(score=None), id="no score"),
        pytest.param(lacking("score"), id="the score is missing"),
        pytest.param(lacking("pass"), id="the finding is missing"),
        pytest.param(Reply(text='{"safety": {"pass": true}}'), id="most is missing"),
        pytest.param(PROSE, id="prose"),
    ],
)
async def test_a_verdict_that_is_not_whole_is_none(serve, said):
    ensemble = {"jurors": jurors("a", "b"), "quorum": 2, "judge": judged("judge")}
    gateway = await serve(ensemble, {"judge": said})

    reply = await gateway.ask()

    (verdict,) = reply.manifest.verdicts
    assert (manifest_pb2.VERDICT_KIND_UNJUDGED, False, True) == (
        verdict.kind,
        verdict.HasField("score"),
        reply.unjudged,
    )


@pytest.mark.parametrize(
    ("most", "lone", "shape"),
    [
        pytest.param("yes", "no", LABELS, id="labels"),
        pytest.param(
            "42", "43", types_pb2.OutputFormat(number=types_pb2.NumberFormat()), id="numbers"
        ),
        pytest.param('{"a": 1}', '{"a": true}', JSON, id="JSON"),
        pytest.param("It opened in Turin.", "Bananas are yellow.", None, id="prose"),
    ],
)
async def test_a_lone_dissenter_is_kept(serve, most, lone, shape):
    said = {"a": most, "b": most, "c": most, "d": lone}
    script = {name: Reply(text=text) for name, text in said.items()}
    gateway = await serve({"jurors": jurors(*said), "quorum": 4}, script)

    reply = await gateway.ask(shape=shape)

    (tally,) = reply.manifest.tallies
    assert [(["a", "b", "c"], 0.75), (["d"], 0.25)] == [
        (list(found.jurors), found.share) for found in tally.classes
    ]
    assert said == {answer.juror: answer.text for answer in reply.manifest.answers}
