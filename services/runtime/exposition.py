"""The figures as Prometheus reads them.

A tenth of a second to import: only what is scraped loads it.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from services.runtime import instruments, metrics
from services.runtime.instruments import Instrument
from services.runtime.metrics import Distribution, Family

FOREIGN: Final = re.compile(r"[^a-zA-Z0-9_:]")
UNITS: Final[Mapping[str, str]] = {"s": "seconds"}
"""What a name ends with; units in braces are words alone."""
KINDS: Final[Mapping[type[Instrument], str]] = {
    instruments.Counter: "counter",
    instruments.Gauge: "gauge",
    instruments.Histogram: "histogram",
}


def page(accept: str) -> tuple[bytes, str]:
    """The figures and their content type, in the newest format that the reader takes."""
    encode, content_type = choose_encoder(accept)
    return encode(_registry()), content_type


def prometheus_name(what: Instrument) -> str:
    """A metric's name; those of its samples may end with more.

    Examples
    --------
    >>> from services.runtime import figures
    >>> prometheus_name(figures.RPC_SERVER), prometheus_name(figures.MODEL_COST)
    ('rpc_server_call_duration_seconds', 'gremium_model_cost_usd')
    """
    unit = UNITS.get(what.unit)
    return _legal(what.name) + (f"_{unit}" if unit else "")


def _legal(name: str) -> str:
    return FOREIGN.sub("_", name)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Figures())
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class _Figures(Collector):
    def describe(self) -> Iterator[Metric]:
        """Nothing before it is asked for."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "target", "Who gives these figures.", {"service_name": metrics.measured_by()}
        )
        yield from map(_translated, metrics.families())


def _translated(family: Family) -> Metric:
    what = family.instrument
    found = Metric(prometheus_name(what), what.about, KINDS[type(what)], UNITS.get(what.unit, ""))
    for of, value in family.points:
        labels = {_legal(label): told for label, told in of.items()}
        for ending, bucket, number in _samples(what, value):
            found.add_sample(found.name + ending, labels | bucket, number)
    return found


def _samples(
    what: Instrument, value: float | Distribution
) -> Iterator[tuple[str, dict[str, str], float]]:
    """What the samples' names end with, which bucket they are of, and their values."""
    if isinstance(what, instruments.Histogram) and isinstance(value, Distribution):
        bounds = [*map(floatToGoString, what.bounds), "+Inf"]
        for bound, below in zip(bounds, accumulate(value.counts), strict=True):
            yield "_bucket", {"le": bound}, below
        yield "_sum", {}, value.total
        yield "_count", {}, value.count
    elif not isinstance(value, Distribution):
        yield "_total" if isinstance(what, instruments.Counter) else "", {}, value
