"""R10: a tier that fails hands over at once, and one that hangs leaves the others their time."""

import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2_grpc
from tests.fault.five import ends, request
from tests.fault.stubs import stub
from tests.fault.tiers import tiered
from tests.running import mesh_running

TIMEOUT_S = 6.0
FAILING = {
    "http-500": ("FAILED", "HTTP_STATUS"),
    "http-429-47": ("FAILED", "RATE_LIMITED"),
    "http-429": ("FAILED", "RATE_LIMITED"),
}


@pytest.fixture(scope="module")
def provider():
    with stub() as provider:
        yield provider


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, provider):
    folder = tmp_path_factory.mktemp("r10")
    with (
        mesh_running(folder, tiered(provider.url, *FAILING, "hang")) as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        stub.Ask(request("http-500-1"), timeout=TIMEOUT_S)  # the first request of all is slower
        yield stub


def handover_s(provider, first, end):
    """Time from the end of the first tier's last call to the second tier's first."""
    events = provider.seen().events
    ended = [event.at for event in events if (event.what, event.model) == (end, first)]
    began = [event.at for event in events if (event.what, event.model) == ("arrived", "backup")]
    return began[0] - ended[-1], began[0]


@pytest.mark.parametrize("first", FAILING)
def test_the_next_tier_starts_at_once(row, gateway, provider, first):
    provider.reset()
    began = time.monotonic()
    reply = gateway.Ask(request(f"{first}-{row.turn}"), timeout=TIMEOUT_S)
    took_s = time.monotonic() - began

    assert "4" == reply.answer.text
    assert FAILING[first] in ends(reply.manifest).values()
    assert provider.seen().arrivals[first] <= 2
    gap_s, _ = handover_s(provider, first, "answered")
    row.at_most("R10", f"next tier after {first} starts after", gap_s, 0.1, unit="s")
    row.at_most("R10", f"answer despite {first} after", took_s, 0.3, unit="s")


def test_a_model_that_wants_to_be_left_alone_is_passed_over(row, gateway, provider):
    gateway.Ask(request(f"http-429-47-{row.turn}"), timeout=TIMEOUT_S)
    provider.reset()
    began = time.monotonic()
    reply = gateway.Ask(request(f"http-429-47-{row.turn}"), timeout=TIMEOUT_S)

    assert ("SKIPPED", "THROTTLED") in ends(reply.manifest).values()
    assert 0 == provider.seen().arrivals.get("http-429-47", 0)
    arrived = [event.at for event in provider.seen().events if event.what == "arrived"]
    row.at_most("R10", "a throttled model costs", arrived[0] - began, 0.1, unit="s")


def test_a_hung_tier_leaves_the_others_their_share(row, gateway, provider):
    provider.reset()
    began = time.monotonic()
    reply = gateway.Ask(request(f"hang-{row.turn}"), timeout=TIMEOUT_S)

    gap_s, second_began = handover_s(provider, "hang", "left")
    assert "4" == reply.answer.text
    row.at_most("R10", "next tier after a hung one starts after", gap_s, 0.1, unit="s")
    share = (TIMEOUT_S - (second_began - began)) / TIMEOUT_S
    row.at_least("R10", "time that a hung first tier leaves the others", share, 0.6)
