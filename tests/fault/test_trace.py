"""One request through five processes leaves one trace."""

import pytest

from tests.collector import edges, label
from tests.fault.five import TIMEOUT_S, request

ASK = "gremium.v1.EnsembleService/Ask"
ROUTE = "gremium.v1.RouterService/Route"
DELIBERATE = "gremium.v1.JuryService/Deliberate"
AGGREGATE = "gremium.v1.AggregatorService/Aggregate"
VERIFY = "gremium.v1.JudgeService/Verify"
EDGES = {
    (None, f"server {ASK}"),
    (f"server {ASK}", f"client {ROUTE}"),
    (f"server {ASK}", f"client {DELIBERATE}"),
    (f"server {ASK}", f"client {AGGREGATE}"),
    (f"server {ASK}", f"client {VERIFY}"),
    (f"client {ROUTE}", f"server {ROUTE}"),
    (f"client {DELIBERATE}", f"server {DELIBERATE}"),
    (f"client {AGGREGATE}", f"server {AGGREGATE}"),
    (f"client {VERIFY}", f"server {VERIFY}"),
    *((f"server {DELIBERATE}", f"internal juror {name}") for name in "abc"),
    *((f"internal juror {name}", "client chat four") for name in "abc"),
    (f"server {AGGREGATE}", "internal tally"),
    (f"server {VERIFY}", "internal verdict"),
    ("internal verdict", "client chat verdict-pass"),
}


def shared_juries(places):
    """The default ensemble will do."""
    del places
    return []


@pytest.fixture(scope="module")
def spans(gateway, collector):
    reply = gateway.Ask(request(), timeout=TIMEOUT_S)
    return collector.trace(reply.manifest.trace_id, until=lambda got: edges(got) >= EDGES)


def test_every_hop_hangs_below_its_caller(spans):
    assert edges(spans) == EDGES


def test_three_jurors_are_three_spans(spans):
    assert 3 == sum(label(span) == "client chat four" for span in spans)
