"""A service loads what it needs to serve, and leaves out what is slow to load and for few."""

import subprocess
import sys

import pytest

from tests.running import environment

TRACING = {"opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation"}
NOT_LOADED = {
    "router_svc": {*TRACING, "aiohttp"},
    "jury_svc": TRACING,
    "judge_svc": TRACING,
    "aggregator_svc": TRACING,
    "services.gateway": {*TRACING, "aiohttp"},
}


@pytest.mark.parametrize("service", NOT_LOADED)
def test_what_only_some_processes_use_is_not_loaded(service):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {service}.__main__; print(*sys.modules)"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert set() == NOT_LOADED[service] & set(done.stdout.split())
