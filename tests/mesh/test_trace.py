"""One request is one trace, whose edges are the architecture: the same on either transport."""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import format_trace_id

from gremium.v1 import ensemble_pb2
from tests.mesh.meshes import TIMEOUT_S, request
from tests.mesh.test_ask import JUDGED, JURY, PASS

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


async def test_nothing_is_traced_unless_asked_for(serve):
    gateway = await serve(JURY)

    manifest = (await gateway.ask()).manifest

    assert ("", {""}) == (manifest.trace_id, {part.span_id for part in manifest.participations})
