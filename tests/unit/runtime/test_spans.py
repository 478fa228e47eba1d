"""A part of a request is a span where the request is sampled, and nothing elsewhere."""

import asyncio

import pytest
from opentelemetry.trace import StatusCode

from services.core.answers import FinishReason, ModelReply, Status, Usage
from services.runtime import telemetry
from services.runtime.spans import current_part, model_span, part_span


@pytest.fixture
def root(exporter):
    with telemetry.tracer().start_as_current_span("root") as span:
        yield span


def finished(exporter):
    [span] = exporter.get_finished_spans()
    return span


def test_a_part_hangs_below_the_current_span(root, exporter):
    with part_span("juror a", {"gremium.juror": "a"}) as part:
        part.ended(Status.UNUSABLE, "PROSE")
    span = finished(exporter)

    assert ("juror a", root.context.span_id) == (span.name, span.parent.span_id)
    assert {"gremium.juror": "a", "gremium.status": "unusable", "gremium.reason": "PROSE"} == dict(
        span.attributes
    )
    assert span.status.is_unset


def test_a_failure_is_an_error(root, exporter):
    with part_span("juror a", {}) as part:
        part.ended(Status.TIMED_OUT, "TIMED_OUT")
    span = finished(exporter)

    assert (StatusCode.ERROR, "TIMED_OUT") == (
        span.status.status_code,
        span.attributes["error.type"],
    )


@pytest.mark.parametrize(
    ("said", "told"), [(("DECIDED",), "DECIDED"), ((), "CANCELLED"), (("left",), "CANCELLED")]
)
def test_a_part_that_is_not_needed_says_why_and_is_no_error(root, exporter, said, told):
    with pytest.raises(asyncio.CancelledError), part_span("juror a", {}):
        raise asyncio.CancelledError(*said)
    span = finished(exporter)

    assert told == span.attributes["gremium.cancel.reason"]
    assert span.status.is_unset


def test_a_model_call_tells_all_that_the_conventions_ask_for(root, exporter):
    reply = ModelReply("4", finish_reason=FinishReason.STOP, served_model="m-1.2")
    with model_span(model="m", provider="mistral", remaining_s=3.0) as span:
        span.settle(
            Status.ANSWERED,
            usage=Usage(7, 3, 5, 2),
            reply=reply,
            cost_usd=0.25,
            first_chunk_s=0.125,
        )
    told = dict(finished(exporter).attributes)

    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1.2",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 0.125,
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "gremium.cost_usd": 0.25,
        "gremium.deadline.remaining_s": 3.0,
        "gremium.status": "answered",
    }


def test_an_event_is_kept(root, exporter):
    with part_span("verdict", {}) as part:
        part.event("gen_ai.evaluation.result", {"gen_ai.evaluation.name": "verdict"})

    assert ["gen_ai.evaluation.result"] == [each.name for each in finished(exporter).events]


def test_the_current_part_is_the_current_span(root):
    current_part().tell({"gremium.outcome": "ANSWERED"})

    assert "ANSWERED" == root.attributes["gremium.outcome"]


def test_where_nothing_is_sampled_nothing_is_kept(exporter):
    with part_span("juror a", {}) as part, model_span(model="m", provider="x", remaining_s=1.0):
        part.ended(Status.FAILED, "HTTP_STATUS")
        part.event("e", {})
        part.stopped("DECIDED")
        current_part().tell({"a": 1})

    assert () == exporter.get_finished_spans()
