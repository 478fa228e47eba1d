"""A sampled call leaves one span with the provider's numbers; the provider sees its trace."""

import asyncio

import pytest

from services.models.asked import Attempt
from services.runtime import telemetry
from tests.unit.models.rosters import asking


async def traced(call):
    with telemetry.tracer().start_as_current_span("caller"):
        return await call


async def test_a_call_is_a_span_of_its_own(exporter):
    async with asking(provider="acme") as (server, put):
        asked = await traced(put())

        span = next(s for s in exporter.get_finished_spans() if s.name == "chat m")
        trace_id, span_id = f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"
        assert f"00-{trace_id}-{span_id}-01" == server.headers[0]["traceparent"]
    assert span_id == asked.span_id
    assert ("chat", "acme", "m", "m", 10, 2) == tuple(
        span.attributes[f"gen_ai.{name}"]
        for name in (
            "operation.name",
            "provider.name",
            "request.model",
            "response.model",
            "usage.input_tokens",
            "usage.output_tokens",
        )
    )


async def test_a_failure_is_an_error_with_its_reason(exporter):
    async with asking(model="http-500") as (_, put):
        await traced(put())

    span = exporter.get_finished_spans()[0]
    assert "HTTP_STATUS" == span.attributes["error.type"]
    assert not span.status.is_ok


async def test_a_stopped_call_is_no_error(exporter):
    attempt = Attempt()
    async with asking(model="hang") as (server, put):
        call = asyncio.create_task(traced(put(attempt=attempt)))
        await server.until(lambda: server.running == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    span = exporter.get_finished_spans()[0]
    assert span.attributes["gremium.cancel.reason"]
    assert span.status.is_unset
    assert f"{span.context.span_id:016x}" == attempt.span_id


async def test_without_a_trace_nothing_is_told(exporter):
    async with asking() as (server, put):
        asked = await put()

        assert "traceparent" not in server.headers[0]
    assert "" == asked.span_id
    assert () == exporter.get_finished_spans()
