"""Prometheus reads the figures at `/metrics`, and nobody else anything."""

import asyncio

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from services.runtime import metrics, scraping
from services.runtime.instruments import Counter, Gauge, Histogram
from services.runtime.scraping import scraped
from tests.figures import measuring

CALLS = Counter("test.calls", "Calls.", ("test.who",))
LEVEL = Gauge("test.level", "A level.", ("test.who",))
TIME = Histogram("test.time", "Time.", ("test.who",), "s", (0.1, 1.0))
GET = b"GET /metrics HTTP/1.1\r\n\r\n"
OPEN = b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n"
LIMIT_S = 10


@pytest.fixture(autouse=True)
def _figures():
    with measuring():
        metrics.add(CALLS, 3, 'a "b"\\')
        metrics.watch(LEVEL, lambda: [(0.5, {"test.who": "a"})])
        for value in (0.05, 0.1, 7.0):
            metrics.observe(TIME, value, "a")
        yield


async def asked(raw):
    """Status line, headers and body."""
    async with scraped("127.0.0.1:0") as port, asyncio.timeout(LIMIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        reply = await reader.read()
        writer.close()
        await writer.wait_closed()
    head, _, body = reply.decode().partition("\r\n\r\n")
    status, _, headers = head.partition("\r\n")
    return status, headers, body


def samples(families):
    return {
        (each.name, *sorted(each.labels.values())): each.value
        for found in families
        for each in found.samples
    }


@pytest.mark.parametrize(("raw", "parser"), [(GET, plain_text), (OPEN, open_metrics)])
async def test_the_figures_are_told_as_prometheus_names_them(raw, parser):
    status, _, body = await asked(raw)
    found = samples(parser(body))

    assert "HTTP/1.1 200 OK" == status
    assert 3 == found["test_calls_total", 'a "b"\\']
    assert 0.5 == found["test_level", "a"]
    assert 2 == found["test_time_seconds_bucket", "0.1", "a"]
    assert 2 == found["test_time_seconds_bucket", "1.0", "a"]
    assert 3 == found["test_time_seconds_bucket", "+Inf", "a"]
    assert (3, 7.15) == (found["test_time_seconds_count", "a"], found["test_time_seconds_sum", "a"])
    assert 1 == found["target_info", "test"]
    assert 0 < found["process_resident_memory_bytes",]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        (b"GET /metrics?name=x HTTP/1.1\r\n\r\n", "200 OK"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        (b"nonsense\r\n\r\n", "404 Not Found"),
    ],
)
async def test_the_page_alone_is_given(raw, status):
    assert f"HTTP/1.1 {status}" == (await asked(raw))[0]


async def test_a_head_that_is_too_long_gets_nothing():
    assert ("", "", "") == await asked(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 40_000)


async def test_who_says_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(scraping, "PATIENCE_S", 0.1)

    assert ("", "", "") == await asked(b"GET /met")


async def test_an_address_in_use_is_named():
    async with scraped("127.0.0.1:0") as port:
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            async with scraped(f"127.0.0.1:{port}"):
                pass


@pytest.mark.parametrize("bind", ["here", "127.0.0.1:", "127.0.0.1:x"])
async def test_what_is_no_address_is_named(bind):
    with pytest.raises(OSError, match=bind):
        async with scraped(bind):
            pass


async def test_nobody_is_given_anything_unless_asked_for():
    async with scraped("") as port:
        assert 0 == port
