"""Processes of a mesh start together, come back when they die, and never outlive their supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from services.cli.child import Child, Process
from services.cli.errors import MeshError
from services.cli.ports import free_ports
from services.cli.progress import Progress
from services.cli.supervisor import keep_running, running_children
from tests.running import ROOT, environment

SERVER = """
import http.server, signal, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *about): pass
{before}
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
LIMIT_S = 20


def process(name="small", *, before="", stop_limit_s=5.0):
    """A process that says it is healthy, after whatever `before` does."""
    (port,) = free_ports(1)
    return Process(
        name=name,
        kind="engine",
        command=(sys.executable, "-c", SERVER.format(before=before), str(port)),
        env=environment(),
        address=f"127.0.0.1:{port}",
        health="",
        stop_limit_s=stop_limit_s,
    )


def running(folder, *processes):
    return running_children(processes, logs=folder, progress=Progress(quiet=True))


def is_alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_all_of_them_run_until_the_block_ends(tmp_path):
    async with running(tmp_path, process("a"), process("b")) as children:
        pids = [child.pid for child in children]
        assert all(map(is_alive, pids))

    assert not any(map(is_alive, pids))


async def test_one_that_dies_at_its_start_stops_all_and_shows_its_last_words(tmp_path):
    dying = process("b", before="sys.exit('no such model')")

    with pytest.raises(MeshError, match=r"(?s)engine-b ended.*exit code 1.*no such model"):
        async with running(tmp_path, process("a"), dying):
            pass


async def test_one_that_ignores_the_request_to_stop_is_killed(tmp_path):
    stubborn = process(
        before="signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        stop_limit_s=0.5,
    )
    async with running(tmp_path, stubborn) as children:
        began = time.monotonic()

    assert -signal.SIGKILL == children[0].exit_code
    assert time.monotonic() - began < LIMIT_S


async def test_a_second_cancel_kills_at_once(tmp_path):
    stubborn = process(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)", stop_limit_s=60)
    started = asyncio.Event()
    pids = []

    async def run():
        async with running(tmp_path, stubborn) as children:
            pids.append(children[0].pid)
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await asyncio.wait_for(started.wait(), LIMIT_S)
    task.cancel()
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, LIMIT_S)

    assert not is_alive(pids[0])


async def test_one_that_dies_comes_back_under_its_address(tmp_path):
    async with running(tmp_path, process()) as (child,):
        first = child.pid
        os.kill(first, signal.SIGKILL)
        returned = keep_running(child, progress=Progress(quiet=True))
        await asyncio.wait_for(anext(returned), LIMIT_S)

        assert first != child.pid
        assert is_alive(child.pid)


async def test_the_terminals_interrupt_is_not_for_children_from_the_first_moment(tmp_path):
    child = Child(process(), tmp_path)
    await child.start()
    try:
        assert os.getpgid(child.pid) == child.pid
    finally:
        child.kill()
        await child.ended()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_children_end_with_a_supervisor_that_is_killed(tmp_path):
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(ROOT / "tests/smoke/test_supervisor.py"), tmp_path],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with supervisor:
        child = int(supervisor.stdout.readline())
        assert is_alive(child)
        supervisor.kill()

    wait_until(lambda: not is_alive(child))


SUPERVISOR = textwrap.dedent("""
    import asyncio, importlib.util, pathlib, sys
    spec = importlib.util.spec_from_file_location("supervised", sys.argv[1])
    supervised = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(supervised)

    async def main():
        folder = pathlib.Path(sys.argv[2])
        async with supervised.running(folder, supervised.process()) as (child,):
            print(child.pid, flush=True)
            await asyncio.sleep(60)

    asyncio.run(main())
""")


def wait_until(condition):
    limit = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)
