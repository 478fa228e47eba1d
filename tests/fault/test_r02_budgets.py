"""R2: each hop says how much time it has left, and it is always less than the hop above had."""

import itertools

import pytest

from tests.collector import attribute, label
from tests.fault.five import request

TIMEOUTS_S = (2.0, 3.3333, 7.7777, 20.0, 61.0, 1234.5)
STAGES = (
    "RouterService/Route",
    "JuryService/Deliberate",
    "AggregatorService/Aggregate",
    "JudgeService/Verify",
)
SPANS = 1 + 2 * len(STAGES) + 3 + 1
"""The gateway, both ends of each stage, three jurors, one judge model."""
ROUNDED_UP = 1.04
"""What the gRPC of a foreign caller may add: it sends a timeout again that it sent before, if that
is at most 3 % longer."""
REMAINING = "gremium.deadline.remaining_s"


def shared_juries(places):
    """The default ensemble will do."""
    del places
    return []


def hops(spans):
    """Both ends of calls; what a process does within one has no time of its own."""
    return [span for span in spans if not label(span).startswith("internal ")]


def chains(spans):
    """From each leaf up to the root."""
    by_id = {span.span_id: span for span in spans}
    parents = {span.parent_span_id for span in spans}
    for leaf in (span for span in spans if span.span_id not in parents):
        chain = [leaf]
        while chain[-1].parent_span_id in by_id:
            chain.append(by_id[chain[-1].parent_span_id])
        yield chain


@pytest.mark.parametrize("timeout_s", TIMEOUTS_S)
def test_the_time_left_shrinks_at_every_hop(row, gateway, collector, timeout_s):
    reply = gateway.Ask(request(), timeout=timeout_s)
    spans = collector.trace(reply.manifest.trace_id, lambda got: len(hops(got)) >= SPANS)

    silent = [label(s) for s in hops(spans) if REMAINING not in {a.key for a in s.attributes}]
    row.none("R2", "hops that do not tell their time", silent)
    assert {f"server gremium.v1.{stage}" for stage in STAGES} <= {label(span) for span in spans}
    told = [
        [(label(span), attribute(span, REMAINING)) for span in hops(chain)]
        for chain in chains(spans)
    ]
    grown = [
        pair
        for chain in told
        for pair in itertools.pairwise(chain)
        if not 0 < pair[0][1] < pair[1][1] <= ROUNDED_UP * timeout_s
    ]
    row.none("R2", "hops with no less time than the one above", grown)
