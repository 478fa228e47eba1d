"""One request is one trace, whose edges are the architecture: the same on either transport."""

import asyncio

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import format_trace_id

from gremium.v1 import ensemble_pb2
from tests.mesh.meshes import TIMEOUT_S, request
from tests.mesh.shadowed import ended, route
from tests.mesh.test_ask import FAIL, JUDGED, JURY, LABELS, PASS
from tests.upstream import Reply

ASK = "gremium.v1.EnsembleService/Ask"
ROUTE = "gremium.v1.RouterService/Route"
DELIBERATE = "gremium.v1.JuryService/Deliberate"
AGGREGATE = "gremium.v1.AggregatorService/Aggregate"
VERIFY = "gremium.v1.JudgeService/Verify"
STAGES = (ROUTE, DELIBERATE, AGGREGATE, VERIFY)
EDGES = {
    (None, f"server {ASK}"),
    *((f"server {ASK}", f"client {stage}") for stage in STAGES),
    *((f"client {stage}", f"server {stage}") for stage in STAGES),
    *((f"server {DELIBERATE}", f"internal juror {juror}") for juror in "abc"),
    *((f"internal juror {juror}", f"client chat {juror}") for juror in "abc"),
    (f"server {AGGREGATE}", "internal tally"),
    (f"server {VERIFY}", "internal verdict"),
    ("internal verdict", "client chat judge"),
}


def label(span: ReadableSpan) -> str:
    return f"{span.kind.name.lower()} {span.name}"


async def test_every_hop_hangs_below_its_caller(serve, exporter):
    gateway = await serve({**JURY, **JUDGED}, {"judge": PASS})

    reply = await gateway.ask()

    spans = exporter.get_finished_spans()
    by_id = {span.context.span_id: label(span) for span in spans}
    edges = {
        (by_id.get(span.parent.span_id) if span.parent else None, label(span)) for span in spans
    }
    assert edges == EDGES
    assert {reply.manifest.trace_id} == {format_trace_id(span.context.trace_id) for span in spans}


async def test_a_streamed_request_is_the_same_trace(serve, exporter):
    gateway = await serve({**JURY, **JUDGED}, {"judge": PASS})

    asked = ensemble_pb2.AskStreamRequest(ask=request("2 + 2?"))
    events = [event async for event in gateway.stub.AskStream(asked, timeout=TIMEOUT_S)]

    spans = exporter.get_finished_spans()
    by_id = {span.context.span_id: label(span) for span in spans}
    edges = {
        (by_id.get(span.parent.span_id) if span.parent else None, label(span)) for span in spans
    }
    followed = {ASK: f"{ASK}Stream", DELIBERATE: f"{DELIBERATE}Stream"}
    assert edges == {
        tuple(
            end and next((end.replace(k, v) for k, v in followed.items() if k in end), end)
            for end in edge
        )
        for edge in EDGES
    }
    trace_id = events[-1].final.manifest.trace_id
    assert {trace_id} == {format_trace_id(span.context.trace_id) for span in spans}


async def test_every_participant_names_its_span(serve, exporter):
    gateway = await serve({**JURY, **JUDGED}, {"judge": PASS})

    manifest = (await gateway.ask()).manifest

    names = {f"{s.context.span_id:016x}": label(s) for s in exporter.get_finished_spans()}
    told = [names[part.span_id] for part in manifest.participations]
    jurors = [f"client chat {juror}" for juror in "abc"]
    expected = [f"client {ROUTE}", *jurors, f"client {AGGREGATE}", "client chat judge"]
    assert expected == told


async def test_a_stage_that_failed_names_its_own_span(serve, exporter):
    gateway = await serve(JURY, hung={"router"})

    manifest = (await gateway.ask(timeout_s=2)).manifest

    names = {f"{s.context.span_id:016x}": label(s) for s in exporter.get_finished_spans()}
    (part,) = [part for part in manifest.participations if part.reason]
    assert f"client {ROUTE}" == names[part.span_id]


async def test_a_juror_a_tally_and_a_verdict_tell_what_came_of_them(serve, exporter):
    split = {"a": Reply("yes"), "b": Reply("yes"), "c": Reply("no"), "judge": PASS}
    gateway = await serve({**JURY, **JUDGED, "quorum": 3, "stop": {"rule": "quorum"}}, split)

    reply = await gateway.ask(shape=LABELS)

    told = {span.name: dict(span.attributes) for span in exporter.get_finished_spans()}
    assert ("a", "a", "answered") == tuple(
        told["juror a"][f"gremium.{name}"] for name in ("juror", "model", "status")
    )
    assert told["tally"] == {
        "gremium.tally.method": "plurality",
        "gremium.tally.consensus": True,
        "gremium.tally.ballots": 3,
        "gremium.tally.leader.share": pytest.approx(2 / 3),
        "gremium.tally.divergence": pytest.approx(2 / 3),
    }
    assert ("pass", "judge") == (
        told["verdict"]["gremium.verdict"],
        told["verdict"]["gremium.judge"],
    )
    assert (reply.request_id, "main", "jury", "ANSWERED") == tuple(
        told[ASK][f"gremium.{name}"] for name in ("request_id", "ensemble", "pattern", "outcome")
    )


async def test_a_verdict_and_its_checks_are_events_without_texts(serve, exporter):
    gateway = await serve({**JURY, **JUDGED}, {"judge": FAIL})

    await gateway.ask()

    [verdict] = [span for span in exporter.get_finished_spans() if span.name == "verdict"]
    events = [event.attributes for event in verdict.events]
    assert {"gen_ai.evaluation.result"} == {event.name for event in verdict.events}
    labels = {
        each["gen_ai.evaluation.name"]: each["gen_ai.evaluation.score.label"] for each in events
    }
    assert ("fail", "fail", "pass") == (
        labels["verdict"],
        labels["hallucination"],
        labels["safety"],
    )
    assert 0.0 <= events[-1]["gen_ai.evaluation.score.value"] <= 1.0
    assert not [each for each in events if "gen_ai.evaluation.explanation" in each]


async def test_each_attempt_is_a_span_below_its_juror(serve, exporter):
    script = {"a": [Reply(status=500), Reply("4")]}
    gateway = await serve({"jurors": [{"model": "a"}]}, script)

    await gateway.ask()

    spans = exporter.get_finished_spans()
    [juror] = [span for span in spans if span.name == "juror a"]
    calls = [span for span in spans if span.name == "chat a"]
    assert {juror.context.span_id} == {span.parent.span_id for span in calls}
    assert [(1, "failed"), (2, "answered")] == sorted(
        (span.attributes["gremium.attempt"], span.attributes["gremium.status"]) for span in calls
    )


async def test_a_juror_that_was_not_needed_says_why(serve, exporter):
    script = {"a": Reply("yes"), "b": Reply("yes"), "c": Reply("no", delay_s=0.8)}
    gateway = await serve({**JURY, "quorum": 2}, script)

    await gateway.ask(shape=LABELS)

    told = {
        span.name: span.attributes.get("gremium.cancel.reason")
        for span in exporter.get_finished_spans()
        if span.name.endswith(" c")
    }
    assert {"juror c": "DECIDED", "chat c": "DECIDED"} == told


async def test_nothing_is_traced_unless_asked_for(serve):
    gateway = await serve(JURY)

    manifest = (await gateway.ask()).manifest

    assert ("", {""}) == (manifest.trace_id, {part.span_id for part in manifest.participations})


async def test_what_a_shadow_asks_hangs_below_the_request_too(serve, exporter, tmp_path):
    gateway = await serve(route(), {"small": Reply(text="yes"), "large": Reply(text="yes")})

    reply = await gateway.ask(shape=LABELS)
    await ended(tmp_path)
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            spans = exporter.get_finished_spans()
            if shadow := [span for span in spans if span.name == "shadow"]:
                break
            await asyncio.sleep(0.01)

    (span,) = shadow
    below = {label(s) for s in spans if s.parent and s.parent.span_id == span.context.span_id}
    assert {f"client {DELIBERATE}", f"client {AGGREGATE}"} == below
    assert {"gremium.tier.from": "dear", "gremium.tier.to": "cheap"} == dict(span.attributes)
    assert reply.manifest.trace_id == format_trace_id(span.context.trace_id)
