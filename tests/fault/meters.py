"""A collector of metrics that keeps the newest and the highest value of each figure of a service."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc

INTERVAL_MS = 200


class Meters(metrics_service_pb2_grpc.MetricsServiceServicer):
    """Gauges of one service."""

    def __init__(self, service):
        self.service = service
        self.most = {}
        """The most that the sum over a gauge's points ever was, by its name."""
        self.newest = {}
        """By name of the gauge and model."""
        self.counts = {}
        """Measurements in each histogram, by its name."""
        self.address = ""

    def environment(self, interval_ms=INTERVAL_MS):
        return {
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"http://{self.address}",
            "OTEL_METRIC_EXPORT_INTERVAL": str(interval_ms),
        }

    def Export(self, request, context):  # noqa: N802 - a gRPC method
        for resource in request.resource_metrics:
            names = {a.value.string_value for a in resource.resource.attributes}
            if self.service in names:
                self._take(resource)
        return metrics_service_pb2.ExportMetricsServiceResponse()

    def _take(self, resource):
        self.counts |= {
            metric.name: sum(point.count for point in metric.histogram.data_points)
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.HasField("histogram")
        }
        for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
            points = [(_model(p), p.as_int or p.as_double) for p in _points(metric)]
            self.newest |= {(metric.name, model): value for model, value in points}
            total = sum(value for _, value in points)
            self.most[metric.name] = max(total, self.most.get(metric.name, 0))

    def until(self, name, least, *, within_s=15.0):
        """The most that a gauge was, once it was at least so much."""
        return _until(lambda: self.most.get(name, -1), lambda most: most >= least, within_s)

    def until_model(self, name, model, value, *, within_s=15.0):
        """Wait until a gauge has this value for a model."""
        return _until(lambda: self.newest.get((name, model)), lambda now: now == value, within_s)


@contextmanager
def metering(service) -> Iterator[Meters]:
    with ThreadPoolExecutor(2) as pool:
        server, meters = grpc.server(pool), Meters(service)
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(meters, server)
        meters.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield meters
        finally:
            server.stop(1).wait(5)


def _points(metric):
    """Of a gauge or a counter."""
    return [*metric.gauge.data_points, *metric.sum.data_points]


def _model(point):
    """The model that a point is about; empty for one about the service."""
    told = {a.key: a.value.string_value for a in point.attributes}
    return told.get("gremium.model", "")


def _until(value, holds, within_s):
    end = time.monotonic() + within_s
    while not holds(now := value()):
        assert time.monotonic() < end, f"{now} after {within_s} s"
        time.sleep(0.05)
    return now
