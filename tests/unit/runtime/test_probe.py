"""The probe exits 0 for a service that says SERVING in time, and for no other."""

import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.runtime.probe import health as probed

SERVING = health_pb2.HealthCheckResponse.SERVING
ROOT = Path(__file__).parents[3]
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def server():
    servicer = health.HealthServicer()
    server = grpc.server(ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer, address
    server.stop(None).wait(5)


def exit_code(*arguments: str) -> int:
    command = [sys.executable, "-m", "services.runtime.probe", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=30, check=False)
    return done.returncode


def test_exits_0_while_the_service_serves(server):
    servicer, address = server
    servicer.set("", SERVING)

    assert 0 == exit_code(address)


def test_exits_1_once_it_drains(server):
    servicer, address = server
    servicer.set("", NOT_SERVING)

    assert "NOT_SERVING" == probed(address)
    assert 1 == exit_code(address)


def test_asks_for_one_service_by_name(server):
    servicer, address = server
    servicer.set("gremium.v1.JuryService", NOT_SERVING)

    assert "SERVING" == probed(address)
    assert "NOT_SERVING" == probed(address, service="gremium.v1.JuryService")
    assert "NOT_FOUND" == probed(address, service="gremium.v1.NoService")


def test_says_when_nobody_listens():
    assert "UNAVAILABLE" == probed("127.0.0.1:1")


def test_does_not_wait_for_a_silent_peer():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        status = probed(f"127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.3)

    assert "DEADLINE_EXCEEDED" == status
    assert time.monotonic() - started < 2
