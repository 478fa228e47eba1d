"""The SDK's providers, which send to a collector, and the package's spans, opened by us.

A tenth of a second to import: only what sends traces or metrics loads it.
"""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.grpc._aio_client import _BaseAioClientInterceptor
from opentelemetry.instrumentation.grpc._aio_server import OpenTelemetryAioServerInterceptor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.trace import Span

from services.runtime.batches import Batches
from services.runtime.exporting import Reports, every_s
from services.runtime.metrics import EXPORT_LIMIT_MS


def tracer_provider(name: str, *, to_console: bool) -> TracerProvider:
    """Spans of the service called `name`, on stderr or to the collector of the `OTEL_` variables."""
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    processor = (
        SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr))
        if to_console
        else Batches(OTLPSpanExporter())
    )
    provider.add_span_processor(processor)
    return provider


def reports(name: str, env: Mapping[str, str]) -> Reports:
    """The figures of the service called `name`, to the collector of the `OTEL_` variables."""
    exporter = OTLPMetricExporter(timeout=EXPORT_LIMIT_MS // 1000)
    return Reports(exporter, name, every_s=every_s(env))


class ServerSpans(OpenTelemetryAioServerInterceptor):
    """The package's server spans, opened by us."""

    def opened(self, method: str, context: Any) -> contextlib.AbstractContextManager[Span]:
        details = _Details(method)
        return self._start_span(details, context)  # type: ignore[no-any-return, no-untyped-call]


class ClientSpans(_BaseAioClientInterceptor):
    """The package's client spans, opened by us."""

    def opened(self, method: str) -> contextlib.AbstractContextManager[Span]:
        return self._start_span(  # type: ignore[no-any-return, no-untyped-call]
            method, end_on_exit=True, record_exception=False, set_status_on_exception=False
        )


class _Details:
    def __init__(self, method: str) -> None:
        self.method = method
