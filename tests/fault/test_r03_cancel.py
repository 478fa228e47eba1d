"""R3: a caller who leaves stops every model call, and every span is exported all the same."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc
from tests.collector import collecting, environment, label
from tests.fault.five import config, jury, model, request
from tests.fault.stubs import stub
from tests.running import mesh_running

LEAVES_S = 0.25
TIMEOUT_S = 20.0
JURORS = 5


@pytest.fixture(scope="module")
def provider():
    with stub() as provider:
        yield provider


@pytest.fixture(scope="module")
def collector():
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, provider, collector):
    folder = tmp_path_factory.mktemp("r03")
    juries = [
        jury({f"{kind}{n}": model(kind, provider.url) for n in range(JURORS)}, kind)
        for kind in ("hang", "silent")
    ]
    with (
        mesh_running(folder, config(juries, provider.url), env=environment(collector)) as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        gateway = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        gateway.Ask(request(), timeout=TIMEOUT_S)
        yield gateway


def sampled():
    """A trace of our own, and the header that says so."""
    trace_id = secrets.token_hex(16)
    return trace_id, (("traceparent", f"00-{trace_id}-{secrets.token_hex(8)}-01"),)


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
