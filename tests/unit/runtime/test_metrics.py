"""Figures are summed up in place, by labels whose number is bounded."""

import timeit

import pytest

from services.runtime import figures, metrics, telemetry
from services.runtime.instruments import Counter, Gauge, Histogram, Instrument
from services.runtime.metrics import MOST_SERIES, OVERFLOW, Distribution
from tests.figures import measuring, points

CALLS = Counter("test.calls", "Calls.", ("test.who", "test.how"))
LEVEL = Gauge("test.level", "A level.", ("test.who",))
TIME = Histogram("test.time", "Time.", ("test.who",), "s", (0.1, 1.0))
ALL = [each for each in vars(figures).values() if isinstance(each, Instrument)]


@pytest.fixture(autouse=True)
def _measuring():
    with measuring():
        yield


def test_a_counter_sums_up_by_its_labels():
    for amount, who in ((1, "a"), (2.5, "b"), (3, "a")):
        metrics.add(CALLS, amount, who, "well")

    assert points(CALLS) == [
        ({"test.who": "a", "test.how": "well"}, 4),
        ({"test.who": "b", "test.how": "well"}, 2.5),
    ]


def test_a_label_without_a_value_is_none():
    metrics.add(CALLS, 1, "a", "")

    assert [({"test.who": "a"}, 1)] == points(CALLS)


def test_a_histogram_counts_up_to_and_with_each_bound():
    for value in (0.05, 0.1, 0.2, 1.0, 7.0):
        metrics.observe(TIME, value, "a")
    [(_, found)] = points(TIME)

    assert Distribution((2, 2, 1), pytest.approx(8.35)) == found
    assert 5 == found.count


def test_a_watched_figure_is_read_from_all_who_tell_it():
    metrics.watch(LEVEL, lambda: [(1, {"test.who": "a"})])
    metrics.watch(LEVEL, lambda: [(2, {"test.who": "b"})])

    assert [({"test.who": "a"}, 1), ({"test.who": "b"}, 2)] == points(LEVEL)


def test_labels_beyond_the_bound_are_counted_together():
    for nth in range(MOST_SERIES + 10):
        metrics.add(CALLS, 1, str(nth), "well")
    metrics.add(CALLS, 1, "0", "well")
    found = {told["test.who"]: value for told, value in points(CALLS)}

    assert MOST_SERIES + 1 == len(found)
    assert (2, 10) == (found["0"], found[OVERFLOW])


def test_nothing_is_kept_when_nobody_measures():
    metrics.stop()
    metrics.add(CALLS, 1, "a", "")
    metrics.observe(TIME, 1.0, "a")
    metrics.watch(LEVEL, lambda: [(1, {})])

    assert [] == metrics.families()


def test_measuring_begins_from_zero():
    metrics.add(CALLS, 1, "a", "")
    metrics.measure("again")

    assert [] == metrics.families()


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.name)
def test_every_metric_has_a_name_of_its_own_and_says_what_it_is(instrument):
    assert [instrument] == [each for each in ALL if each.name == instrument.name]
    assert instrument.about.endswith(".")


@pytest.mark.parametrize("instrument", ALL, ids=lambda each: each.name)
def test_no_metric_is_told_of_callers_or_of_single_requests(instrument):
    unbounded = {"caller", "request", "request_id", "trace", "span", "prompt", "id"}

    assert not {label.rpartition(".")[2] for label in instrument.labels} & unbounded


def test_a_measurement_costs_next_to_nothing():
    def measured():
        metrics.observe(TIME, 0.3, "a")
        metrics.add(CALLS, 1, "a", "well")

    seconds = min(timeit.repeat(measured, number=1000, repeat=10)) / 2000

    assert seconds < 5e-6


@pytest.mark.parametrize(
    ("env", "is_on"),
    [
        ({}, False),
        ({"GREMIUM_JURY_METRICS": ""}, False),
        ({"GREMIUM_JUDGE_METRICS": "127.0.0.1:1"}, False),
        ({"GREMIUM_JURY_METRICS": "127.0.0.1:1"}, True),
    ],
    ids=str,
)
def test_a_process_measures_where_somebody_reads(env, is_on):
    metrics.stop()
    telemetry.setup("jury", env, prefix="GREMIUM_JURY")

    assert is_on == metrics.is_on()


@pytest.mark.parametrize("given", ["delta", "lowmemory"])
def test_figures_are_not_sent_as_changes(given):
    env = {
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": given,
    }

    with pytest.raises(ValueError, match=f"is '{given}'; figures are sent cumulative alone"):
        metrics.wanted(env)
