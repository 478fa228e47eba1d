"""How the models of a running mesh fare, replica by replica."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import grpc
from google.protobuf.json_format import MessageToDict
from rich.table import Table

from gremium.v1 import model_status_pb2, model_status_pb2_grpc
from services.cli.processes import SERVICES
from services.cli.show import plain_table
from services.cli.words import counted
from services.runtime.channels import open_channel

LIMIT_S: Final = 3.0
WORDS: Final = {
    model_status_pb2.BREAKER_STATE_CLOSED: "closed",
    model_status_pb2.BREAKER_STATE_OPEN: "open",
    model_status_pb2.BREAKER_STATE_HALF_OPEN: "half open",
}


@dataclass(frozen=True, slots=True)
class States:
    """What the processes that ask models tell of them."""

    response: model_status_pb2.ListModelStatesResponse

    def as_json(self) -> dict[str, Any]:
        return MessageToDict(
            self.response,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )


NOTHING: Final = States(model_status_pb2.ListModelStatesResponse())


async def model_states(gateway: str) -> States:
    """Ask a gateway; nothing is told when it does not answer."""
    request = model_status_pb2.ListModelStatesRequest()
    async with open_channel(gateway, service=SERVICES["gateway"]) as channel:
        stub = model_status_pb2_grpc.ModelStatusServiceStub(channel)
        try:
            return States(await stub.ListModelStates(request, timeout=LIMIT_S))
        except grpc.aio.AioRpcError:
            return NOTHING


def states_table(states: States) -> Table:
    table = plain_table(
        "model", "asked by", "breaker", "failed", "in flight", "waiting", "throttled", "p50", "p95"
    )
    for replica in states.response.replicas:
        asked_by = f"{replica.service} {replica.id}"
        for model in replica.models:
            table.add_row(model.model, asked_by, *_cells(model, datetime.now(UTC)))
    for place in states.response.missing:
        table.add_row("", place, "does not tell", *[""] * 6)
    return table


def _cells(model: model_status_pb2.ModelState, now: datetime) -> tuple[str, ...]:
    since_s = (now - model.since_time.ToDatetime(UTC)).total_seconds()
    breaker = WORDS.get(model.breaker, "unknown")
    opened = f", opened {counted(model.opens, 'time')}" if model.opens else ""
    return (
        f"{breaker} for {max(0.0, since_s):.0f} s{opened}",
        str(model.recent_failures),
        f"{model.in_flight} of {model.concurrency_limit}",
        str(model.waiting),
        _throttled(model, now),
        _seconds(model, "latency_p50"),
        _seconds(model, "latency_p95"),
    )


def _throttled(model: model_status_pb2.ModelState, now: datetime) -> str:
    if not model.HasField("throttled_until_time"):
        return ""
    left_s = (model.throttled_until_time.ToDatetime(UTC) - now).total_seconds()
    return f"for {left_s:.0f} s" if left_s > 0.0 else ""


def _seconds(model: model_status_pb2.ModelState, field: str) -> str:
    if not model.HasField(field):  # type: ignore[arg-type]
        return ""
    return f"{getattr(model, field).ToTimedelta().total_seconds():.2f} s"
