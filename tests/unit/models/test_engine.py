"""The embedded model answers for real, and its engine never outlives its reason to run."""

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from services.core.answers import FinishReason, Status
from services.core.deadline import Deadline
from services.core.prompts import OutputFormat, Params
from services.models.asked import Attempt
from services.models.asking import ask
from services.models.listening import Listener
from services.models.local import engine_plan
from tests.running import environment, is_alive
from tests.unit.models.rosters import loaded, request, roster_of

SMOLLM = {"backend": "local", "model": "smollm2-135m", "context_tokens": 2048, "timeout_s": 60.0}
SPEC = loaded({"m": SMOLLM}).config.models["m"]


@asynccontextmanager
async def engine(spec=SPEC, folder=Path()):
    """The engine of a model; killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *command(spec, folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(),
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def command(spec=SPEC, folder=Path()):
    return sys.executable, "-m", "services.models.engine", *engine_plan(spec, folder).arguments()


async def address_of(process):
    async for line in process.stdout:
        if line.startswith(b"engine listens on "):
            return line.split()[-1].decode()
    raise AssertionError("the engine ended before it listened")


async def gone(pid, *, within_s=10.0):
    async with asyncio.timeout(within_s):
        while is_alive(pid):  # noqa: ASYNC110  another process's end is no event of ours
            await asyncio.sleep(0.05)


async def test_one_stream_after_the_other_is_heard_word_by_word():
    async with (
        engine() as process,
        roster_of({"m": SMOLLM}, engines={"m": await address_of(process)}) as roster,
    ):
        for _ in range(3):
            heard = []
            limits = {"deadline": Deadline.after(60), "timeout_s": 60}
            listened = Attempt(listener=Listener(heard.append))
            wanted = request("Tell me about Paris.", params=Params(max_output_tokens=12))
            asked = await ask(roster.get("m"), wanted, attempt=listened, **limits)

            assert (Status.ANSWERED, False) == (asked.status, asked.usage_estimated)
            assert asked.reply.text == "".join(heard).strip()
            assert 12 == asked.usage.output_tokens == len(heard)


async def test_answers_questions():
    async with (
        engine() as process,
        roster_of({"m": SMOLLM}, engines={"m": await address_of(process)}) as roster,
    ):

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


async def test_weights_that_are_none_end_the_start(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"no weights at all")
    spec = SPEC.model_copy(update={"model": "bad.gguf"})

    async with engine(spec, tmp_path) as process:
        assert 0 != await asyncio.wait_for(process.wait(), 60)


PARENT = """
import os, subprocess, sys
engine = subprocess.Popen([*sys.argv[1:], "--parent", str(os.getpid())], stdout=subprocess.PIPE)
engine.stdout.readline()
print(engine.pid, flush=True)
engine.wait()
"""


async def test_ends_when_its_parent_is_killed():
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, *command()),
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    async with asyncio.timeout(60):
        pid = int(await parent.stdout.readline())
    assert is_alive(pid)
    parent.kill()
    await parent.wait()

    await gone(pid)
