"""R3: a caller who leaves stops every model call, and every span is exported all the same."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gremium.v1 import ensemble_pb2
from tests.collector import label, sampled
from tests.fault.five import jury, model, request

LEAVES_S = 0.25
TIMEOUT_S = 20.0
JURORS = 5


def shared_juries(places):
    return [
        jury({f"{kind}{n}": model(kind, places.url) for n in range(JURORS)}, kind)
        for kind in ("hang", "silent")
    ]


def unary(gateway, ensemble, metadata):
    return gateway.Ask.future(request(ensemble), timeout=TIMEOUT_S, metadata=metadata)


def stream(gateway, ensemble, metadata):
    asked = ensemble_pb2.AskStreamRequest(ask=request(ensemble))
    return gateway.AskStream(asked, timeout=TIMEOUT_S, metadata=metadata)


@dataclass(frozen=True)
class Way:
    """How the question is asked, and what each juror does."""

    call: Callable[..., Any]
    rpc: str
    stage: str
    kind: str

    def labels(self):
        """Kind and name of every span of the request."""
        calls = ["gremium.v1.RouterService/Route", f"gremium.v1.JuryService/{self.stage}"]
        hops = [f"{side} {each}" for each in calls for side in ("client", "server")]
        models = [f"client chat {self.kind}"] * JURORS
        return sorted([f"server gremium.v1.EnsembleService/{self.rpc}", *hops, *models])


WAYS = {
    "unary": Way(unary, "Ask", "Deliberate", "hang"),
    "stream-before-headers": Way(stream, "AskStream", "DeliberateStream", "hang"),
    "stream-before-the-first-token": Way(stream, "AskStream", "DeliberateStream", "silent"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_socket_is_closed_and_every_span_exported(row, gateway, provider, collector, way):
    provider.reset()
    trace_id, metadata = sampled()
    began = time.monotonic()
    asked = way.call(gateway, f"{way.kind}-{row.turn}", metadata)
    provider.until(lambda seen: seen.underway == JURORS)
    time.sleep(max(0.0, began + LEAVES_S - time.monotonic()))
    left = time.monotonic()
    asked.cancel()
    seen = provider.until(lambda seen: not seen.underway)

    last = max(event.at for event in seen.events if event.what == "left")
    assert JURORS == seen.calls == seen.left[way.kind]
    row.at_most("R3", "last upstream socket closed after", last - left, 0.2, unit="s")
    expected = way.labels()
    spans = collector.trace(trace_id, lambda got: len(got) >= len(expected))
    assert expected == sorted(label(span) for span in spans)
