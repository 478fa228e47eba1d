"""A service's life: listen, say SERVING, drain, end."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.core.errors import GremiumError
from services.runtime import census, logs, telemetry
from services.runtime.admission import Admission
from services.runtime.checks import Checks
from services.runtime.rules import know_rules
from services.runtime.scraping import scraped
from services.runtime.serving import ServingInterceptor
from services.runtime.settings import ServerSettings

logger = logging.getLogger(__name__)

Register = Callable[[grpc.aio.Server], None]

Ready = Callable[[], Awaitable[None]]
"""Returns once a service can do its part; never raises."""
Trouble = Callable[[], str]
"""Why a service cannot do its part for a while; empty while it can. Asked often."""

SERVING: Final = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
SWITCH_S: Final = 0.001
"""How long a thread that computes keeps the event loop waiting each time it has to do something."""
MIN_PING_INTERVAL_S: Final = 1
"""Clients that ping more often are sent away; ours ping every 2 s."""
MAX_CALL_S: Final = 600
"""Time that a call gets to end once its connection is too old."""
AWAY_EVERY_S: Final = 0.05
DEFAULT_SLOTS: Final = 64
LOOK_S: Final = 0.5
"""How often a service that serves is asked for its trouble."""
BURST: Final = 1024
"""Calls that may be waiting for their refusal."""


@asynccontextmanager
async def running(
    settings: ServerSettings,
    register: Register,
    *,
    services: Sequence[str],
    slots: int = DEFAULT_SLOTS,
    ready: Ready | None = None,
    trouble: Trouble | None = None,
) -> AsyncIterator[int]:
    """Serve until the block ends, then drain. Yields the bound port.

    It takes `slots` calls at once, unless the settings say otherwise.
    The health is SERVING once `ready` returns, or at once without. While there
    is trouble the whole is NOT_SERVING; each service by its name still takes calls,
    and says what is wrong. When the block ends all are NOT_SERVING first, while
    calls are still taken.

    Raises
    ------
    OSError
        If the address cannot be bound; it names the address.
    """
    slots = settings.max_concurrent or slots
    server = grpc.aio.server(
        interceptors=(ServingInterceptor(Admission(slots)),),
        options=_options(settings),
        # The admission refuses first and with a reason; this is the wall behind it.
        # It knows no methods, so it stands where a burst does not cost the health checks.
        maximum_concurrent_rpcs=4 * slots + BURST,
    )
    register(server)
    know_rules(services)
    checks = Checks()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection(
        (*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    port = _bind(server, settings.bind)
    await _say(checks, NOT_SERVING, services)
    await server.start()
    logger.info("listening", extra={"bind": settings.bind, "port": port})
    try:
        async with scraped(settings.metrics), _announced(checks, services, ready, trouble):
            yield port
    finally:
        await checks.enter_graceful_shutdown()
        await asyncio.sleep(min(settings.leave_s, settings.drain_s))
        await _drained(server, checks, settings.drain_s)
        logger.info("stopped")


async def _drained(server: grpc.aio.Server, checks: Checks, drain_s: float) -> None:
    """Take no more calls, let those in flight finish, and send away who only watches the health."""
    stopping = asyncio.create_task(server.stop(drain_s))
    while not stopping.done():
        checks.send_away()
        await asyncio.wait([stopping], timeout=AWAY_EVERY_S)
    await stopping


@asynccontextmanager
async def _announced(
    checks: Checks, services: Sequence[str], ready: Ready | None, trouble: Trouble | None
) -> AsyncIterator[None]:
    """Say SERVING as soon as it is true, and while it is, until the block ends."""

    async def serve() -> None:
        await _say(checks, SERVING, services)
        logger.info("serving")

    async def announce() -> None:
        if ready is not None:
            await ready()
            await serve()
        if trouble is not None:
            await _follow(checks, trouble)

    if ready is None:
        await serve()
    announcing = asyncio.create_task(announce())
    try:
        yield
    finally:
        announcing.cancel()
        await asyncio.wait([announcing])


async def _follow(checks: Checks, trouble: Trouble) -> None:
    """Say of the whole whether there is trouble, until cancelled."""
    before = ""
    while True:
        await asyncio.sleep(LOOK_S)
        if (now := trouble()) and not before:
            logger.error("not serving: %s", now)
            await checks.set("", NOT_SERVING)
        elif before and not now:
            logger.info("serving again")
            await checks.set("", SERVING)
        before = now


async def _say(checks: Checks, status: int, services: Sequence[str]) -> None:
    for name in ("", *services):
        await checks.set(name, status)


def _options(settings: ServerSettings) -> tuple[tuple[str, int], ...]:
    return (
        # A second server would share the port silently.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.http2.ping_timeout_ms", 5_000),
        ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_INTERVAL_S * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        # Clients look for new replicas when they connect.
        ("grpc.max_connection_age_ms", round(settings.max_connection_age_s * 1000)),
        ("grpc.max_connection_age_grace_ms", MAX_CALL_S * 1000),
    )


def _bind(server: grpc.aio.Server, address: str) -> int:
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as err:
        raise OSError(f"cannot listen on {address}: is the port in use?") from err
    if port == 0:
        raise OSError(f"cannot listen on {address}: is the port in use?")
    return port


async def until_signalled() -> None:
    """Wait for SIGTERM or SIGINT; tell a census at SIGUSR1 meanwhile."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        with census.telling():
            await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def run(main: Coroutine[Any, Any, None], *, service: str) -> None:
    """Run a service's main with its logs and traces set up; errors at start end it with code 1."""
    logs.setup(service)
    census.ignore_requests()
    sys.setswitchinterval(SWITCH_S)
    _keep_what_is_loaded()
    with closing(main):
        try:
            telemetry.setup(service, prefix=f"GREMIUM_{service.upper()}")
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(main)
        except (GremiumError, OSError, ValueError) as err:
            logger.error("cannot start: %s", err)  # noqa: TRY400 - the message says it all
            sys.exit(1)
        finally:
            telemetry.shutdown()


def _keep_what_is_loaded() -> None:
    """Spare what was imported from being looked through for garbage: all threads wait meanwhile."""
    gc.collect()
    gc.freeze()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop of uvloop where it exists: a quarter less CPU per hop."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - has no wheel for Windows

    return uvloop.new_event_loop
