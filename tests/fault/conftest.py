"""Measures the properties under time and failure; `make fault` does it tightly.

    def test_a_hung_juror_costs_no_time(row, mesh):
        row.at_most("R1", "answer after the deadline by", late_s, 0.05, unit="s")

In `make test` each figure is held against a limit five times as loose. With
`--tight --repeat 5` each test that takes `row` runs five times, no single
figure fails, and the medians are held against the tight limits at the end.
"""

import pathlib
from dataclasses import dataclass, field, replace

import pytest

from tests.fault.rows import Figure, Limit, as_json, judged, table

OUT = pathlib.Path(__file__).resolve().parents[2] / "bench" / "out" / "fault.json"


@dataclass(frozen=True)
class Row:
    """Holds figures against limits."""

    tight: bool
    """Whether there is time for the long form, and the median is judged at the end."""
    figures: list[Figure] = field(default_factory=list)
    turn: int = 1
    """Which run of the test this is, for what may be used but once."""

    def at_most(
        self,
        row: str,
        what: str,
        value: float,
        limit: float,
        *,
        unit: str = "",
        undisturbed: float | None = None,
    ) -> None:
        """Hold a figure against the most it may be: tightly `limit`, loosely five times that."""
        self._hold(Figure(row, what, value, Limit(limit, unit=unit), undisturbed))

    def at_least(
        self,
        row: str,
        what: str,
        value: float,
        limit: float,
        *,
        ideal: float = 1.0,
        unit: str = "",
        undisturbed: float | None = None,
    ) -> None:
        """Hold a figure against the least it must be; loosely, five times as far from `ideal`."""
        least = Limit(limit, at_least=True, ideal=ideal, unit=unit)
        self._hold(Figure(row, what, value, least, undisturbed))

    def _hold(self, figure: Figure) -> None:
        self.figures.append(figure)
        if self.tight:
            return
        loose = figure.limit.loosened()
        assert loose.holds(figure.value), (
            f"{figure.row} {figure.what}: {figure.value:.4g}, not {loose}"
        )


ROW = pytest.StashKey[Row]()


def pytest_addoption(parser):
    group = parser.getgroup("fault", "properties under time and failure")
    group.addoption("--tight", action="store_true", help="hold medians against the tight limits")
    group.addoption("--repeat", type=int, default=1, help="runs of each test that measures")


def pytest_configure(config):
    _row(config)


def pytest_generate_tests(metafunc):
    times = metafunc.config.getoption("--repeat", 1)
    if times > 1 and "turn" in metafunc.fixturenames:
        metafunc.parametrize("turn", range(1, times + 1))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    row = _row(session.config)
    if not row.tight or not row.figures:
        return
    rows = judged(row.figures)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(as_json(rows))
    if exitstatus == pytest.ExitCode.OK and not all(each.holds for each in rows):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    row = _row(config)
    if row.tight and row.figures:
        terminalreporter.section("properties under time and failure")
        terminalreporter.write_line(table(judged(row.figures)))


@pytest.fixture
def turn():
    """Which run of the test this is."""
    return 1


@pytest.fixture
def row(request, turn):
    return replace(_row(request.config), turn=turn)


def _row(config):
    """The one collection of figures of a run."""
    return config.stash.setdefault(ROW, Row(tight=config.getoption("--tight", default=False)))
