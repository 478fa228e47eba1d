"""Asks a process of the mesh whether it serves."""

import asyncio
from contextlib import closing

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

CHECK_LIMIT_S = 2.0


async def is_serving(address: str, service: str) -> bool:
    """Whether the gRPC service at `host:port` says SERVING; False when nobody answers in time."""
    if not await _listens(address):
        return False
    async with grpc.aio.insecure_channel(address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        try:
            reply = await check(
                health_pb2.HealthCheckRequest(service=service), timeout=CHECK_LIMIT_S
            )
        except grpc.aio.AioRpcError:
            return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


async def _listens(address: str) -> bool:
    """Whether somebody takes connections; found out sooner than by a gRPC channel's retries."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(CHECK_LIMIT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, UnicodeError):  # a host that is no name, too
        return False
    with closing(writer):
        return True
