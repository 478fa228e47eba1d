"""Spans leave the process by the standard variables, and none is lost at its end."""

import asyncio
import time

import pytest

from services.runtime.channels import open_channel
from tests.collector import collecting, environment, label
from tests.fault.meters import metering
from tests.running import free_port
from tests.unit.runtime.processes import log, serving, started
from tests.unit.runtime.serving import ROUTER, route, stub

TRACE = "0af7651916cd43dd8448eb211c80319c"
NAME = f"server {ROUTER}/Route"


async def asked(env, *, sampled=True):
    """Call a service in a process of its own, and end it. Returns the seconds that its end took."""
    address = f"127.0.0.1:{free_port()}"
    parent = (("traceparent", f"00-{TRACE}-b7ad6b7169203331-0{int(sampled)}"),)
    with started(address, **env) as process:
        assert await asyncio.to_thread(serving, address)
        async with open_channel(address) as channel:
            await stub(channel).Route(route(), timeout=5, metadata=parent)
        begun = time.monotonic()
        process.terminate()
        await asyncio.to_thread(log, process)
        return time.monotonic() - begun


@pytest.fixture
def collector():
    with collecting() as collector:
        yield collector


async def test_the_last_spans_are_sent_before_the_process_ends(collector):
    await asked(environment(collector) | {"OTEL_BSP_SCHEDULE_DELAY": "60000"})

    assert [NAME] == [label(span) for span in collector.spans if span.trace_id.hex() == TRACE]


async def test_an_endpoint_alone_turns_it_on(collector):
    await asked({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.address}"})

    assert [NAME] == [label(span) for span in collector.spans]


@pytest.mark.parametrize(
    "off", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}], ids=str
)
async def test_it_can_be_turned_off(collector, off):
    await asked(environment(collector) | off)

    assert [] == collector.spans


async def test_what_the_caller_does_not_sample_is_not_sent(collector):
    await asked(environment(collector), sampled=False)

    assert [] == collector.spans


async def test_the_last_figures_are_sent_before_the_process_ends():
    with metering("gremium-router") as meters:
        await asked(meters.environment(interval_ms=60_000))

    assert 1 == meters.counts["rpc.server.call.duration"]


async def test_a_collector_that_is_not_there_does_not_hold_up_the_end():
    took_s = await asked({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"})

    assert took_s < 5
