"""The engine of one local model: a llama.cpp server in a process of its own."""

import argparse
import asyncio
import ctypes
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from services.config.tree import Model
from services.core.errors import BackendError
from services.models.local import EnginePlan, engine_plan
from services.models.settings import engine_environment

READY: Final = "engine listens on "
START_S: Final = 120.0
STOP_S: Final = 5.0
WATCH_S: Final = 0.5
LONGEST_LINE_BYTES: Final = 1024 * 1024
PR_SET_PDEATHSIG: Final = 1


@asynccontextmanager
async def engine_running(name: str, spec: Model, directory: Path) -> AsyncIterator[str]:
    """Run a local model's engine until the block ends. Yields its base address.

    If the engine dies first, the block is cancelled and ends with an error.
    `directory` is where a relative path of the weights begins.

    Raises
    ------
    BackendError
        If the weights are missing or wrong, or the engine does not start or dies.
    """
    plan = await asyncio.to_thread(engine_plan, spec, directory)
    process = await _start(plan)
    words = _Words()
    listening = asyncio.create_task(words.listen(process))
    try:
        async with _ending_with(process, f"engine of {name!r}", words):
            async with asyncio.timeout(START_S):
                address = await asyncio.shield(words.address)
                await _healthy(address)
            yield address
    except TimeoutError as err:
        raise _failed(f"engine of {name!r} was not ready after {START_S:g} s", words) from err
    finally:
        await _stop(process)
        listening.cancel()


class _Words:
    """What an engine writes: its address, and the last lines for whom it may concern."""

    def __init__(self) -> None:
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.last: deque[str] = deque(maxlen=20)

    async def listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101  `_start` asks for the pipe
        async for raw in process.stdout:
            line = raw.decode(errors="replace").strip()
            if line.startswith(READY) and not self.address.done():
                self.address.set_result(line.removeprefix(READY))
            elif line:
                self.last.append(line)


async def _start(plan: EnginePlan) -> asyncio.subprocess.Process:
    """Start the process in a session of its own: Ctrl-C is for us, who then drain and stop it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.models.engine", *plan.arguments()),
        *("--parent", str(os.getpid())),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=engine_environment(),
        limit=LONGEST_LINE_BYTES,
        start_new_session=True,
    )


@asynccontextmanager
async def _ending_with(
    process: asyncio.subprocess.Process, what: str, words: _Words
) -> AsyncIterator[None]:
    """Cancel the block when the process ends, and say so."""
    owner = asyncio.current_task()
    assert owner is not None  # noqa: S101  a coroutine runs in a task
    cancels_before = owner.cancelling()
    watch = asyncio.create_task(process.wait())

    def ended(_: Any) -> None:
        owner.cancel()

    watch.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if not watch.done() or owner.uncancel() > cancels_before:
            raise
        raise _failed(f"{what} ended with code {watch.result()}", words) from None
    finally:
        watch.remove_done_callback(ended)
        watch.cancel()


def _failed(message: str, words: _Words) -> BackendError:
    said = " | ".join(words.last)[-1000:]
    return BackendError(f"{message}: {said or 'it said nothing'}", cause="ENGINE_DIED", sent=False)


async def _healthy(address: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{address}/health") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Stop the process; an engine holds nothing that needs a farewell."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def main() -> None:
    """Serve until the parent is gone or a signal comes."""
    parser = argparse.ArgumentParser(description="Serve one GGUF model on this machine.")
    parser.add_argument("--weights", required=True, help="GGUF file")
    parser.add_argument("--alias", default="local", help="model name that it answers to")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--context", type=int, default=4096, help="tokens, shared by all calls")
    parser.add_argument("--parallel", type=int, default=4, help="calls at once")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--parent", type=int, default=0, help="process to end with; 0: none")
    options = parser.parse_args()
    if options.parent:
        _die_with_parent()
    server = _serve(options)
    print(f"{READY}{server.listening_address}", flush=True)  # noqa: T201  the parent reads it
    while options.parent in (0, os.getppid()):
        time.sleep(WATCH_S)
    os._exit(0)  # calls in flight are for nobody now


def _die_with_parent() -> None:
    """Ask Linux to end us with our parent; elsewhere the loop in `main` notices, a bit later."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _serve(options: argparse.Namespace) -> Any:
    """Load the weights and listen. Returns the server, which runs on threads of its own."""
    os.environ.update(engine_environment())  # before the library loads and reads it
    import xllamacpp  # noqa: PLC0415  an optional dependency, needed in this process only

    params = xllamacpp.CommonParams()
    params.model.path = options.weights
    params.model_alias = {options.alias}
    params.hostnames = [options.host]
    params.port = options.port
    params.n_ctx = options.context
    params.n_parallel = options.parallel
    params.kv_unified = True  # a long prompt may use the whole context, not one slot's share
    params.cpuparams.n_threads = options.threads
    params.cpuparams.poll = 0
    params.ui = False
    params.endpoint_slots = False  # would show other callers' prompts
    params.verbosity = 1
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
