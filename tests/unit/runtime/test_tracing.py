"""Spans end and tell the truth, whatever becomes of the call."""

import asyncio
import timeit
from contextlib import suppress

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gremium.v1 import router_pb2_grpc
from services.core.deadline import Deadline
from services.core.errors import DeadlineSpentError, GremiumError
from services.runtime import figures, telemetry
from services.runtime.calls import call
from services.runtime.local import call_local
from services.runtime.tracing import client_span, server_span
from tests.figures import measuring, points
from tests.unit.runtime.serving import JURY, ROUTER, Router, followed, route, served

NAME = f"{ROUTER}/Route"
LIMIT_S = 10
CALL = {"rpc.system.name": "grpc", "rpc.method": NAME}


@pytest.fixture
def exported():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.install(provider)
    yield exporter
    telemetry.shutdown()


@pytest.fixture
def root(exported):
    with telemetry.tracer().start_as_current_span("root") as span:
        yield span


async def ask(ensemble="", *, left_s=5.0):
    async with served() as channel:
        stub = router_pb2_grpc.RouterServiceStub(channel)
        return await call(stub.Route, route(ensemble), deadline=Deadline.after(left_s))


async def spans(exported, n=2):
    """The finished spans by kind, once there are `n`."""
    async with asyncio.timeout(LIMIT_S):
        while len(exported.get_finished_spans()) < n:  # noqa: ASYNC110 - spans end in grpc's own time
            await asyncio.sleep(0.01)
    return {span.kind: span for span in exported.get_finished_spans()}


async def test_a_call_is_a_span_on_each_side(root, exported):
    await ask()
    found = await spans(exported)
    client, server = found[SpanKind.CLIENT], found[SpanKind.SERVER]

    assert (NAME, NAME) == (client.name, server.name)
    assert root.context.span_id == client.parent.span_id
    assert client.context.span_id == server.parent.span_id
    for span in (client, server):
        assert ("grpc", NAME, "OK") == tuple(
            span.attributes[f"rpc.{name}"]
            for name in ("system.name", "method", "response.status_code")
        )


@pytest.mark.parametrize(
    ("ensemble", "code", "fault_at"),
    [
        ("", "OK", set()),
        ("bug", "INTERNAL", {"client", "server"}),
        ("quorum", "ABORTED", {"client", "server"}),
        ("verbose", "INVALID_ARGUMENT", {"client"}),
    ],
)
async def test_a_call_is_timed_on_each_side(ensemble, code, fault_at):
    with measuring():
        with suppress(GremiumError):
            await ask(ensemble)
        sides = {"client": points(figures.RPC_CLIENT), "server": points(figures.RPC_SERVER)}

    for side, [(of, took)] in sides.items():
        fault = {"error.type": code} if side in fault_at else {}
        assert {**CALL, "rpc.response.status_code": code, **fault} == of
        assert 0 < took.total < LIMIT_S


async def test_a_call_that_its_caller_gave_up_is_no_error():
    with measuring():
        with pytest.raises(asyncio.CancelledError), client_span(f"/{NAME}", remaining_s=1.0):
            raise asyncio.CancelledError
        [(of, _)] = points(figures.RPC_CLIENT)

    assert {**CALL, "rpc.response.status_code": "CANCELLED"} == of


async def test_a_server_span_tells_the_time_it_had(root, exported):
    await ask(left_s=2)
    server = (await spans(exported))[SpanKind.SERVER]

    assert 0 < server.attributes["gremium.deadline.remaining_s"] < 2


@pytest.mark.parametrize(
    ("ensemble", "code", "at_server"),
    [
        pytest.param("bug", "INTERNAL", StatusCode.ERROR, id="bug"),
        pytest.param("quorum", "ABORTED", StatusCode.ERROR, id="abort"),
        pytest.param("peer", "UNAVAILABLE", StatusCode.ERROR, id="peer"),
        pytest.param("verbose", "INVALID_ARGUMENT", StatusCode.UNSET, id="callers-mistake"),
    ],
)
async def test_a_failed_call_is_no_success(root, exported, ensemble, code, at_server):
    with pytest.raises(GremiumError):
        await ask(ensemble)
    found = await spans(exported)

    assert StatusCode.ERROR is found[SpanKind.CLIENT].status.status_code
    assert at_server is found[SpanKind.SERVER].status.status_code
    assert code == found[SpanKind.CLIENT].attributes["rpc.response.status_code"]


async def test_a_deadline_is_an_error(root, exported):
    with pytest.raises(DeadlineSpentError):
        await ask("hang", left_s=0.2)
    client = (await spans(exported))[SpanKind.CLIENT]

    assert StatusCode.ERROR is client.status.status_code
    assert "DEADLINE_EXCEEDED" == client.attributes["rpc.response.status_code"]


async def test_a_cancelled_call_leaves_both_spans_and_no_error(root, exported):
    router = Router()
    async with served(router) as channel:
        stub = router_pb2_grpc.RouterServiceStub(channel)
        pending = asyncio.ensure_future(
            call(stub.Route, route("hang"), deadline=Deadline.after(30))
        )
        await asyncio.wait_for(router.started.wait(), LIMIT_S)
        pending.cancel()
        await asyncio.wait_for(router.cancelled.wait(), LIMIT_S)
        found = await spans(exported)

    assert {SpanKind.CLIENT, SpanKind.SERVER} == found.keys()
    assert {StatusCode.UNSET} == {span.status.status_code for span in found.values()}
    assert "CANCELLED" == found[SpanKind.SERVER].attributes["rpc.response.status_code"]


async def test_a_local_call_leaves_the_spans_of_a_remote_one(root, exported):
    await call_local(Router().Route, route(), deadline=Deadline.after(5), method=f"/{ROUTER}/Route")
    found = await spans(exported)

    assert found[SpanKind.CLIENT].context.span_id == found[SpanKind.SERVER].parent.span_id
    assert (NAME, NAME) == tuple(span.name for span in found.values())


@pytest.mark.parametrize("tracing", [True, False], ids=["sdk on", "sdk off"])
def test_an_unsampled_request_leaves_no_span_but_keeps_its_trace(tracing, exported):
    if not tracing:
        telemetry.install(None)
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}

    with server_span("/a.B/C", None, headers), client_span("/a.B/D", remaining_s=1.0):
        sent = dict(telemetry.outgoing_headers())

    assert headers == sent
    assert () == exported.get_finished_spans()


def test_an_unsampled_request_costs_next_to_nothing(exported):
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}

    def passed():
        with server_span("/a.B/C", None, headers), client_span("/a.B/D", remaining_s=1.0):
            telemetry.outgoing_headers()

    seconds = min(timeit.repeat(passed, number=200, repeat=10)) / 200

    assert seconds < 100e-6


@pytest.mark.parametrize(
    ("tier", "code", "status"),
    [
        ("fine", "OK", StatusCode.UNSET),
        ("bug", "INTERNAL", StatusCode.ERROR),
        ("quorum", "ABORTED", StatusCode.ERROR),
    ],
)
async def test_a_stream_is_a_span_that_ends_with_it(exported, tier, code, status):
    async with served() as channel:
        stream = followed(channel, tier)
        with suppress(grpc.aio.AioRpcError):
            [event async for event in stream]
        [span] = (await spans(exported, 1)).values()

    assert f"{JURY}/DeliberateStream" == span.name
    assert (code, status) == (span.attributes["rpc.response.status_code"], span.status.status_code)


@pytest.mark.parametrize("tier", ["hang", "flood"])
async def test_a_stream_that_is_left_is_a_span_and_no_error(exported, tier):
    async with served() as channel:
        stream = followed(channel, tier)
        await stream.read()
        stream.cancel()
        [span] = (await spans(exported, 1)).values()

    assert StatusCode.UNSET is span.status.status_code
    assert "CANCELLED" == span.attributes["rpc.response.status_code"]


def test_without_an_sdk_nothing_is_sent_and_nothing_is_current():
    telemetry.install(None)

    with server_span("/a.B/C", None, {}), client_span("/a.B/D", remaining_s=1.0):
        assert () == telemetry.outgoing_headers()
        assert "" == telemetry.current_trace_id() == telemetry.current_span_id()


@pytest.mark.parametrize("name", ["jaeger", "zipkin"])
def test_an_unknown_exporter_is_named(name):
    with pytest.raises(ValueError, match=name):
        telemetry.setup("jury", {"OTEL_TRACES_EXPORTER": name})


@pytest.mark.parametrize(
    "name", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"]
)
def test_a_protocol_that_is_not_spoken_is_named(name):
    with pytest.raises(ValueError, match=f"{name} is 'http/protobuf'"):
        telemetry.setup("jury", {"OTEL_TRACES_EXPORTER": "otlp", name: "http/protobuf"})
