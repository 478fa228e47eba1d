"""Each line of the log is one JSON object that says when, where and in which trace."""

import io
import json
import logging

import pytest
from opentelemetry.sdk.trace import TracerProvider

from services.runtime import logs, telemetry


@pytest.fixture
def written():
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.setup("jury", logging.StreamHandler(stream))
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_says_who_and_what(written):
    logging.getLogger("services.x").info("served %d", 3, extra={"port": 50051})
    [line] = written()

    expected = ("info", "jury", "services.x", "served 3", 50051)
    assert expected == tuple(line[k] for k in ("level", "service", "logger", "message", "port"))


def test_times_are_in_utc(written):
    logging.getLogger("x").warning("late")
    [line] = written()

    assert line["time"].endswith("+00:00")


def test_a_traceback_stays_on_its_line(written):
    try:
        json.loads("odd")
    except ValueError:
        logging.getLogger("x").exception("failed")
    [line] = written()

    assert "JSONDecodeError" in line["traceback"]
    assert "\n" in line["traceback"]


def test_a_line_of_a_traced_request_names_its_trace(written):
    telemetry.install(TracerProvider())
    with telemetry.tracer().start_as_current_span("root"):
        trace_id = telemetry.current_trace_id()
        logging.getLogger("x").info("inside")
    telemetry.shutdown()
    logging.getLogger("x").info("outside")
    inside, outside = written()

    assert trace_id == inside["trace_id"]
    assert "trace_id" not in outside


def test_what_json_cannot_hold_is_written_as_text(written):
    logging.getLogger("x").info("odd", extra={"value": {1, 2}, "path": io.StringIO})
    [line] = written()

    assert "{1, 2}" == line["value"]
