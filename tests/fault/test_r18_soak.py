"""R18: under mixed faults and early stops nothing grows. A short form; `make soak` is the long one."""

import asyncio
from itertools import product

import pytest

from bench.soak import Plan, Soak, soaked, told
from bench.soak_faults import FAULTS, accounted, accounts_table
from bench.soak_load import ANSWERED, LEFT, WITHOUT_A_STAGE
from bench.soak_report import MEASURES, judged, table

SERVICES = ("router", "jury", "judge", "aggregator", "gateway")
SHORT = Plan(minutes=0.15, cancelled=500, most_minutes=0.6)
WARM_UP_BYTES = 8 * 2**20
"""Memory that a process may surely take in its first seconds: pools and caches fill."""
LOOSE = 5


@pytest.fixture(scope="module")
def soak(tmp_path_factory):
    folder = tmp_path_factory.mktemp("r18")
    soak = Soak()
    asyncio.run(soaked(SHORT, folder, soak, out=folder / "soak.jsonl"))
    assert len(soak.samples) == len((folder / "soak.jsonl").read_text().splitlines())
    return soak


def test_the_mesh_answers_through_all_of_it(soak):
    stayed = [got for got in soak.got if got.what != LEFT]
    answered = [got for got in stayed if got.what in {ANSWERED, WITHOUT_A_STAGE}]

    assert len(answered) > 0.98 * len(stayed)
    assert soak.cancelled >= SHORT.cancelled
    assert len(stayed) < len(soak.got)


def test_each_fault_happens_and_accounts_for_what_ends_badly(soak):
    accounts = accounted(soak.got, soak.outages)

    assert {str(fault) for fault in FAULTS} <= {each.beside for each in accounts}
    assert not sum(each.unexcused for each in accounts), accounts_table(accounts)


def test_nothing_grows(soak):
    lines = judged(soak.samples)

    assert set(product(SERVICES, MEASURES)) == {(line.service, line.measure) for line in lines}
    most = {"rss": WARM_UP_BYTES, "descriptors": LOOSE, "tasks": LOOSE, "threads": LOOSE}
    grown = [line for line in lines if line.slope.low * line.span_s > most[line.measure]]
    assert not grown, table(lines)


def test_a_table_and_a_chart_tell_of_it(soak, tmp_path, capsys):
    told(soak, png=tmp_path / "soak.png")

    assert f"{soak.cancelled} cancelled calls of jurors" in capsys.readouterr().out
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")
