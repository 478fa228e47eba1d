"""An OTLP collector that keeps the spans it is sent."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span

KINDS = {Span.SPAN_KIND_CLIENT: "client", Span.SPAN_KIND_SERVER: "server"}


@dataclass
class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Spans by trace, in order of arrival."""

    address: str = ""
    spans: list[Span] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def Export(self, request, context):  # noqa: N802 - a gRPC method
        with self.arrived:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
            self.arrived.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def trace(
        self, trace_id: str, until: Callable[[list[Span]], bool], limit_s: float = 20
    ) -> list[Span]:
        """All spans of one trace, as soon as `until` holds of them.

        Raises
        ------
        TimeoutError
            If it does not hold in time; the message lists what came.
        """
        end = time.monotonic() + limit_s
        with self.arrived:
            while True:
                mine = [span for span in self.spans if span.trace_id.hex() == trace_id]
                if until(mine):
                    return mine
                if not self.arrived.wait(max(0.0, end - time.monotonic())):
                    raise TimeoutError(f"only {sorted(label(s) for s in mine)} after {limit_s} s")


@contextmanager
def collecting() -> Iterator[Collector]:
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        collector = Collector()
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
        collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield collector
        finally:
            server.stop(2).wait(5)


def environment(collector: Collector) -> dict[str, str]:
    """What makes a process send its spans there."""
    return {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.address}",
        "OTEL_EXPORTER_OTLP_INSECURE": "true",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }


def sampled() -> tuple[str, tuple[tuple[str, str], ...]]:
    """A trace of our own, and the header that says so."""
    trace_id = secrets.token_hex(16)
    return trace_id, (("traceparent", f"00-{trace_id}-{secrets.token_hex(8)}-01"),)


def label(span: Span) -> str:
    """Kind and name, such as `server gremium.v1.JuryService/Deliberate`."""
    return f"{KINDS.get(span.kind, 'internal')} {span.name}"


def edges(spans: list[Span]) -> set[tuple[str | None, str]]:
    """Parent and child labels; the parent of a root is None."""
    by_id = {span.span_id: label(span) for span in spans}
    return {(by_id.get(span.parent_span_id), label(span)) for span in spans}


def attribute(span: Span, name: str) -> float:
    """A numeric attribute."""
    value = next(a.value for a in span.attributes if a.key == name)
    return value.double_value if value.HasField("double_value") else value.int_value
