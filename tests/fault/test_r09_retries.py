"""R9: a dead dependency gets about one call a request, a leaf never more than three."""

import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2_grpc
from tests.fault.five import config, failure, jury, manifest_of, model, request
from tests.fault.stubs import Mode, stub
from tests.running import mesh_running

TIMEOUT_S = 4.0
REQUESTS = 30
MANY = 200
EAGER = {"max_attempts": 3, "budget_floor_per_s": 100.0}
PATIENT = {"backoff_s": 30.0, "max_wait_s": 60.0, "budget_floor_per_s": 100.0}
NEVER_OPEN = {"window": 1000, "min_calls": 1000}


@pytest.fixture(scope="module")
def provider():
    modes = {"slow-500": Mode(status=500, delay_s=0.05)}
    with stub({**modes, **{name: Mode(status=500) for name in ("dead", "leaf")}}) as provider:
        yield provider


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, provider):
    with (
        mesh_running(tmp_path_factory.mktemp("r09"), configured(provider.url)) as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        yield ensemble_pb2_grpc.EnsembleServiceStub(channel)


def configured(url):
    """A jury whose third juror is dead, and jurors that fail however often they are asked."""
    four = model("four", url)
    dead = jury({"a": four, "b": four, "dead": model("dead", url)}, "dead", quorum=2)
    open_eyed = {"breaker": NEVER_OPEN}
    leaf = jury({"leaf": model("leaf", url, retry=EAGER, **open_eyed)}, "leaf")
    limited = jury({"limited": model("dead", url, **open_eyed)}, "budget")
    late = jury({"late": model("slow-500", url, retry=PATIENT, **open_eyed)}, "late")
    return config([dead, leaf, limited, late], url)


def test_a_dead_juror_gets_about_one_call_a_request(row, gateway, provider):
    provider.reset()
    for _ in range(REQUESTS):
        assert "4" == gateway.Ask(request(f"dead-{row.turn}"), timeout=TIMEOUT_S).answer.text

    arrivals = provider.seen().arrivals["dead"]
    row.at_most("R9", "arrivals a request at a dead model", arrivals / REQUESTS, 1.1)


def test_retries_are_a_fifth_of_the_calls_even_when_nothing_opens(row, gateway, provider):
    provider.reset()
    requests = MANY if row.tight else REQUESTS
    for _ in range(requests):
        failure(lambda: gateway.Ask(request(f"budget-{row.turn}"), timeout=TIMEOUT_S))

    arrivals = provider.seen().arrivals["dead"]
    row.at_most("R9", "arrivals a request without a breaker", arrivals / requests, 1.25)


def test_a_leaf_sees_three_attempts_at_most_and_each_is_told(row, gateway, provider):
    provider.reset()
    request_id = f"leaf-{row.turn}-{time.monotonic_ns()}"
    failure(lambda: gateway.Ask(request(f"leaf-{row.turn}", request_id), timeout=TIMEOUT_S))
    (part,) = [p for p in manifest_of(gateway, request_id).participations if p.name == "leaf"]

    row.at_most("R9", "attempts that a leaf sees", provider.seen().arrivals["leaf"], 3)
    assert ["HTTP_STATUS"] * 3 == [attempt.reason for attempt in part.attempts]
    assert (3, 3) == (part.model_calls, provider.seen().arrivals["leaf"])


def test_a_retry_that_does_not_fit_is_not_slept_for(row, gateway, provider):
    provider.reset()
    began = time.monotonic()
    error = failure(lambda: gateway.Ask(request(f"late-{row.turn}"), timeout=1.0))
    took_s = time.monotonic() - began

    assert error.code() is grpc.StatusCode.ABORTED
    assert took_s < 0.9 or provider.seen().arrivals["slow-500"] == 2
