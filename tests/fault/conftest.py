"""Measures the properties under time and failure; `make fault` does it tightly.

    def test_a_hung_juror_costs_no_time(row, mesh):
        row.at_most("R1", "answer after the deadline by", late_s, 0.05, unit="s")

In `make test` each figure is held against a limit with five times the room from what would be
ideal, so 1.1 arrivals a request become 1.5; a share gets five times the odds. With
`--tight --repeat 5` each test that takes `row` runs five times, and the medians are held against
the tight limits at the end. A single figure then fails only where loosening leaves its limit as it
is, such as 0.
"""

import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import grpc
import pytest

from gremium.v1 import ensemble_pb2_grpc
from tests.collector import collecting
from tests.fault import shared
from tests.fault.crowd import crowded as crowded_mesh
from tests.fault.five import TURNS_TOLD
from tests.fault.five import request as asking
from tests.fault.frail import frail as frail_mesh
from tests.fault.meters import metering
from tests.fault.rows import Figure, Limit, as_json, beside, judged, outcome, sound, table
from tests.fault.stubs import stub
from tests.fault.supervised import supervised as supervised_mesh

WARM_LIMIT_S = 20.0
OUT = pathlib.Path(__file__).resolve().parents[2] / "bench" / "out" / "fault.json"


@dataclass(frozen=True)
class Row:
    """Holds figures against limits."""

    tight: bool
    """Whether there is time for the long form, and the median is judged at the end."""
    figures: list[Figure] = field(default_factory=list)
    turn: int = 1
    """Which run of the test this is, for what may be used but once."""
    module: str = ""
    """File of the test."""

    def at_most(
        self,
        row: str,
        what: str,
        value: float,
        limit: float,
        *,
        ideal: float = 0.0,
        share: bool = False,
        unit: str = "",
        undisturbed: float | None = None,
    ) -> None:
        """Hold a figure against the most it may be; loosely, five times as far from `ideal`."""
        most = Limit(limit, ideal=ideal, share=share, unit=unit)
        self._hold(Figure(row, what, value, most, undisturbed))

    def at_least(
        self,
        row: str,
        what: str,
        value: float,
        limit: float,
        *,
        undisturbed: float | None = None,
    ) -> None:
        """Hold a share of a whole against the least it must be; loosely, against a fifth of the odds."""
        least = Limit(limit, at_least=True, ideal=1.0, share=True)
        self._hold(Figure(row, what, value, least, undisturbed))

    def none(self, row: str, what: str, found: Sequence[object]) -> None:
        """Hold that something never happened; the first time that it did is shown."""
        self._hold(Figure(row, what, len(found), Limit(0.0)), *found[:1])

    def _hold(self, figure: Figure, *seen: object) -> None:
        self.figures.append(replace(figure, module=self.module))
        if self.tight and not figure.limit.is_firm:
            return
        loose = figure.limit.loosened()
        missed = f"{figure.row} {figure.what}: {figure.value:.4g}, not {loose}"
        assert loose.holds(figure.value), "; ".join([missed, *map(str, seen)])


ROW = pytest.StashKey[Row]()


def pytest_addoption(parser):
    group = parser.getgroup("fault", "properties under time and failure")
    group.addoption("--tight", action="store_true", help="hold medians against the tight limits")
    group.addoption("--repeat", type=int, default=1, help="runs of each test that measures")


def pytest_configure(config):
    os.environ[TURNS_TOLD] = str(config.getoption("--repeat", 1))
    _row(config)


def pytest_generate_tests(metafunc):
    times = metafunc.config.getoption("--repeat", 1)
    if times > 1 and "turn" in metafunc.fixturenames:
        metafunc.parametrize("turn", range(1, times + 1))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Whatever asks the shared mesh is kept apart as if it measured: most of it does."""
    for item in filter(shared.takes_part, items):
        item.add_marker(pytest.mark.measures)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """Fail a run of which a median misses; keep the figures of the properties that hold."""
    row = _row(session.config)
    if not row.tight or not row.figures:
        return
    rows = judged(row.figures)
    if exitstatus == pytest.ExitCode.OK and not all(each.holds for each in rows):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    OUT.parent.mkdir(parents=True, exist_ok=True)
    kept = sound(rows, _failed(session.config))
    OUT.write_text(as_json(beside(kept, OUT.read_text() if OUT.exists() else "[]")))


def pytest_terminal_summary(terminalreporter, config):
    row = _row(config)
    if row.tight and row.figures:
        rows = judged(row.figures)
        terminalreporter.section("properties under time and failure")
        terminalreporter.write_line(table(rows))
        terminalreporter.write_line(outcome(rows, _failed(config), path=OUT))


def _failed(config):
    """Files in which a test failed, or could not be set up or ended."""
    stats = config.pluginmanager.get_plugin("terminalreporter").stats
    reports = [*stats.get("failed", ()), *stats.get("error", ())]
    return {pathlib.PurePath(report.nodeid.partition("::")[0]).name for report in reports}


@pytest.fixture
def turn():
    """Which run of the test this is."""
    return 1


@pytest.fixture
def row(request, turn):
    return replace(_row(request.config), turn=turn, module=request.path.name)


@pytest.fixture(scope="session")
def sharing(request):
    """The modules that share a mesh, of those with tests in this run."""
    return list(dict.fromkeys(i.module for i in request.session.items if shared.takes_part(i)))


@pytest.fixture(scope="session")
def provider(sharing):
    with stub(shared.script(sharing)) as provider:
        yield provider


@pytest.fixture(scope="session")
def collector():
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="session")
def meters():
    """The gauges of the shared mesh's jury."""
    with metering("gremium-jury") as meters:
        yield meters


@pytest.fixture(scope="session")
def mesh(tmp_path_factory, sharing, provider, collector, meters):
    folder = tmp_path_factory.mktemp("shared")
    with shared.mesh_of(sharing, provider.url, folder, collector, meters) as mesh:
        yield mesh


@pytest.fixture(scope="session")
def supervised(tmp_path_factory):
    """A mesh whose services may be killed, and its provider."""
    with supervised_mesh(tmp_path_factory.mktemp("supervised")) as supervised:
        yield supervised


@pytest.fixture(scope="session")
def frail(tmp_path_factory):
    """A mesh whose processes may be killed and frozen, and stay so until the test starts them."""
    with frail_mesh(tmp_path_factory.mktemp("frail")) as frail:
        yield frail


@pytest.fixture(scope="session")
def crowded(tmp_path_factory, request):
    """A mesh that many ask at once."""
    is_long = request.config.getoption("--tight", default=False)
    with crowded_mesh(tmp_path_factory.mktemp("crowded"), long=is_long) as crowded:
        yield crowded


@pytest.fixture(scope="session")
def channel(mesh):
    with grpc.insecure_channel(mesh.address) as channel:
        yield channel


@pytest.fixture(scope="session")
def gateway(channel):
    gateway = ensemble_pb2_grpc.EnsembleServiceStub(channel)
    gateway.Ask(asking(), timeout=WARM_LIMIT_S)  # the first request of all is slower
    return gateway


def _row(config):
    """The one collection of figures of a run."""
    return config.stash.setdefault(ROW, Row(tight=config.getoption("--tight", default=False)))
