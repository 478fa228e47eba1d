"""Whether the services of a running mesh serve, and how often each has failed."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import grpc
from rich.table import Table

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2
from services.cli import state
from services.cli.health import is_serving
from services.cli.plan import SERVICES
from services.cli.show import plain_table
from services.runtime.channels import open_channel

LIST_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class StageState:
    """A service of a running mesh."""

    name: str
    address: str
    serving: bool
    calls: int = 0
    """Since the gateway started."""
    failed_calls: int = 0
    last_reason: str = ""
    """Of the latest failure, UPPER_SNAKE; empty without one."""


async def stage_states(directory: Path) -> list[StageState]:
    """The services of the mesh that runs in a folder; none when none does."""
    running = state.read(directory)
    if running is None:
        return []
    addresses = {name: str(each["address"]) for name, each in running.services.items()}
    addresses.setdefault("gateway", running.gateway)
    serving = await asyncio.gather(
        *(is_serving(address, SERVICES[name]) for name, address in addresses.items())
    )
    counted = await _counted(running.gateway)
    return [
        _state(name, address, is_up, counted.get(name))
        for (name, address), is_up in zip(addresses.items(), serving, strict=True)
    ]


def _state(
    name: str, address: str, is_up: bool, counted: ensemble_pb2.StageRecord | None
) -> StageState:
    if counted is None:
        return StageState(name, address, is_up)
    return StageState(
        name, address, is_up, counted.calls, counted.failed_calls, counted.last_reason
    )


async def _counted(gateway: str) -> dict[str, ensemble_pb2.StageRecord]:
    """What the gateway counted, by service; nothing when it does not answer."""
    async with open_channel(gateway) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        try:
            told = await stub.ListEnsembles(
                ensemble_pb2.ListEnsemblesRequest(), timeout=LIST_LIMIT_S
            )
        except grpc.aio.AioRpcError:
            return {}
    return {
        manifest_pb2.Stage.Name(each.stage).removeprefix("STAGE_").lower(): each
        for each in told.stages
    }


def stage_table(states: list[StageState]) -> Table:
    table = plain_table("service", "address", "state", "calls", "failed", "last failure")
    for each in states:
        told = "serving" if each.serving else "not there"
        numbers = (str(each.calls), str(each.failed_calls))
        table.add_row(each.name, each.address, told, *numbers, each.last_reason)
    return table
