"""The embedded model answers for real, and its engine never outlives its reason to run."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from services.core.answers import FinishReason, Status
from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.core.prompts import OutputFormat, Params
from services.models.asking import ask
from services.models.engine import engine_running
from tests.unit.models.rosters import loaded, request, roster_of

SMOLLM = {"backend": "local", "model": "smollm2-135m", "context_tokens": 2048, "timeout_s": 60.0}
SPEC = loaded({"m": SMOLLM}).config.models["m"]
HERE = Path()


def alive(pid):
    with suppress(ProcessLookupError, FileNotFoundError):
        return "Z" != Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return False


def children():
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


async def gone(pid, *, within_s=10.0):
    async with asyncio.timeout(within_s):
        while alive(pid):  # noqa: ASYNC110  another process's end is no event of ours
            await asyncio.sleep(0.05)


async def test_answers_questions_and_stops():
    before = children()
    async with engine_running("m", SPEC, HERE) as address:
        (pid,) = children() - before
        async with roster_of({"m": SMOLLM}, engines={"m": address}) as roster:

            async def put(wanted):
                return await ask(roster.get("m"), wanted, deadline=Deadline.after(60), timeout_s=60)

            france = await put(request("What is the capital of France?"))
            chosen = await put(
                request(
                    "Is the sky blue?",
                    output_format=OutputFormat("labels", labels=("yes", "no")),
                    params=Params(max_output_tokens=32),
                )
            )

    assert Status.ANSWERED is france.status
    assert "Paris" in france.reply.text
    assert FinishReason.STOP is france.reply.finish_reason
    assert france.usage.input_tokens > 5
    assert france.usage.output_tokens > 2
    assert chosen.reply.text in {"yes", "no"}
    assert not alive(pid)


async def test_tells_whoever_runs_it_that_it_died():
    async def run_and_kill():
        before = children()
        async with engine_running("m", SPEC, HERE):
            (pid,) = children() - before
            os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(30)

    with pytest.raises(BackendError, match="'m' ended with code -9") as caught:
        await run_and_kill()

    assert "ENGINE_DIED" == caught.value.cause


async def test_being_cancelled_is_no_death_of_the_engine():
    async def run(ready):
        async with engine_running("m", SPEC, HERE):
            ready.set()
            await asyncio.sleep(30)

    ready = asyncio.Event()
    task = asyncio.create_task(run(ready))
    await ready.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_weights_that_are_none_end_the_start(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"no weights at all")
    spec = SPEC.model_copy(update={"model": "bad.gguf"})

    with pytest.raises(BackendError) as caught:
        async with engine_running("m", spec, tmp_path):
            pass

    assert "ENGINE_DIED" == caught.value.cause


PARENT = """
import asyncio, os, pathlib, sys
from services.config.tree import Model
from services.models.engine import engine_running

async def main():
    spec = Model.model_validate_json(sys.argv[1])
    async with engine_running("m", spec, pathlib.Path()):
        print(pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text(), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_ends_when_its_parent_is_killed():
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, SPEC.model_dump_json()),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    async with asyncio.timeout(60):
        pid = int((await parent.stdout.readline()).split()[0])
    assert alive(pid)
    parent.kill()
    await parent.wait()

    await gone(pid)
