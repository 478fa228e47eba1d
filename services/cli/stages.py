"""Whether the services of a running mesh serve, and how often each has failed."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
from rich.table import Table

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2
from services.cli import state
from services.cli.health import is_serving
from services.cli.processes import SERVICES
from services.cli.show import plain_table
from services.runtime.channels import open_channel

LIST_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class StageState:
    """A service of a running mesh."""

    name: str
    address: str
    """Empty where only the gateway knows it: in its own process, or on other machines."""
    serving: bool | None
    """None where only the gateway can ask it."""
    calls: int | None = None
    """Since the gateway started; None where nothing is counted or the gateway does not tell."""
    failed_calls: int | None = None
    """Each one degraded a request, or ended it."""
    last_reason: str = ""
    """Of the latest failure, UPPER_SNAKE; empty without one."""


async def stage_states(address: str | None, *, directory: Path) -> list[StageState]:
    """The services of the mesh that `gremium ask` would ask; none when none was named or runs."""
    running = state.read(directory)
    if running is not None and address in {None, running.gateway}:
        own = {name: str(each["address"]) for name, each in running.services.items()}
        return await _states(running.gateway, own)
    states = await _states(address or state.DEFAULT_BIND, {})
    return states if address or unreached(states) is None else []


def unreached(states: Iterable[StageState]) -> str | None:
    """Address of the gateway where it does not serve."""
    return next((s.address for s in states if s.name == "gateway" and not s.serving), None)


def stage_table(states: Iterable[StageState]) -> Table:
    table = plain_table("service", "address", "state", "calls", "failed", "last failure")
    words = {True: "serving", False: "not there", None: "behind the gateway"}
    for each in states:
        numbers = ("" if n is None else str(n) for n in (each.calls, each.failed_calls))
        table.add_row(each.name, each.address, words[each.serving], *numbers, each.last_reason)
    return table


async def _states(gateway: str, known: Mapping[str, str]) -> list[StageState]:
    addresses = {**dict.fromkeys(SERVICES, ""), **known, "gateway": gateway}
    serving = await asyncio.gather(*(_serving(name, at) for name, at in addresses.items()))
    counted = await _counted(gateway) if serving[-1] else {}
    return [
        _state(name, at, is_up, counted.get(name))
        for (name, at), is_up in zip(addresses.items(), serving, strict=True)
    ]


async def _serving(name: str, address: str) -> bool | None:
    return await is_serving(address, SERVICES[name]) if address else None


def _state(
    name: str, address: str, is_up: bool | None, counted: ensemble_pb2.StageRecord | None
) -> StageState:
    if counted is None:
        return StageState(name, address, is_up)
    return StageState(
        name, address, is_up, counted.calls, counted.failed_calls, counted.last_reason
    )


async def _counted(gateway: str) -> dict[str, ensemble_pb2.StageRecord]:
    """What the gateway counted, by service; nothing when it does not answer."""
    async with open_channel(gateway, service=SERVICES["gateway"]) as channel:
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
