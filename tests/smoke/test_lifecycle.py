"""A mesh starts, survives what dies, stops in order, and leaves nothing behind."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

import psutil
import pytest

from tests.running import ROOT, environment, mesh_running, page, stop

QUESTION = "What is the capital of France?"
QUICK = ("--ensemble", "quick")
LIMIT_S = 60
BAD_CONFIG = """\
version: 1
models:
  small:
    backend: local
    model: smollm2-135m
    family: smollm
    timeout: 20
ensembles:
  default: {pattern: jury, jurors: [{model: small}]}
"""


def still_running(pids):
    return [pid for pid in pids if psutil.pid_exists(pid)]


def pids(mesh):
    return [int(about["pid"]) for about in (*mesh.services.values(), *mesh.engines.values())]


@dataclass(frozen=True)
class Ended:
    """What became of a mesh that was asked, and then interrupted."""

    folder: pathlib.Path
    code: int
    left: list[int]
    """Processes of it that run still."""


@pytest.fixture(scope="module")
def ended(embedded, gremium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ended")
    with mesh_running(folder, embedded) as mesh:
        gremium(folder, "ask", QUESTION, "--request-id", "kept", *QUICK)
        started = pids(mesh)
        code = stop(mesh.process)
        return Ended(folder, code, still_running(started))


@pytest.fixture(scope="module")
def again(ended, embedded):
    """A mesh where one had been before."""
    with mesh_running(ended.folder, embedded) as mesh:
        yield mesh


def test_ctrl_c_drains_and_leaves_no_process(ended):
    assert (0, []) == (ended.code, ended.left)
    assert not (ended.folder / ".gremium/mesh.json").exists()


def test_manifests_survive_a_restart(again, gremium):
    code, out, _ = gremium(again.folder, "manifest", "kept", "--json")

    assert (0, "kept") == (code, json.loads(out)["request_id"])


def test_the_program_that_the_readme_shows_gets_an_answer(again):
    _, _, shown = (ROOT / "README.md").read_text().partition("```python\n")
    program = shown.partition("```")[0].replace("127.0.0.1:50051", again.address)

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.endswith(" 0.0\n")


def test_a_service_that_dies_comes_back(again, gremium):
    os.kill(again.pid("jury"), signal.SIGKILL)
    wait_for_another(again.folder, "jury", than=again.pid("jury"))
    code, out, _ = gremium(again.folder, "ask", QUESTION, *QUICK)

    assert (0, True) == (code, "Paris" in out)


def test_one_process_answers_too(embedded, gremium, tmp_path):
    with mesh_running(tmp_path, embedded, "--one-process") as mesh:
        code, out, _ = gremium(tmp_path, "ask", QUESTION, *QUICK)

        assert (0, True) == (code, "Paris" in out)
        assert {mesh.process.pid} == {mesh.pid(name) for name in mesh.services}
        stages = json.loads(gremium(tmp_path, "models", "--json")[1])["stages"]
        assert 1 == next(each["calls"] for each in stages if each["name"] == "jury")
        assert "answered" in page(mesh, "/")
        assert 0 == stop(mesh.process)


def test_one_question_can_have_a_mesh_of_its_own(folder, gremium):
    code, out, err = gremium(folder, "ask", "--start", QUESTION)

    assert (0, True) == (code, "Paris" in out), err
    assert not (folder / ".gremium/mesh.json").exists()


def test_a_wrong_configuration_is_told_by_file_and_line(gremium, tmp_path):
    path = tmp_path / "gremium.yaml"
    path.write_text(BAD_CONFIG)

    code, _, err = gremium(tmp_path, "up")

    assert 1 == code
    assert f"{path}:7:" in err
    assert "timeout" in err


def test_a_busy_port_is_named(folder, gremium):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        code, _, err = gremium(folder, "up", "--bind", bind)

    assert 1 == code
    assert f"{bind} is in use" in err


def test_a_service_that_cannot_start_shows_its_last_words(folder, gremium):
    (folder / "ledger.sqlite").mkdir()

    code, _, err = gremium(folder, "up", "--bind", "127.0.0.1:0")

    assert 1 == code
    assert "gateway ended at its start" in err
    assert "gateway.log" in err


@pytest.mark.parametrize("command", [["ask", QUESTION], ["manifest", "r-1"]])
def test_without_a_mesh_it_says_how_to_start_one(gremium, tmp_path, command):
    code, _, err = gremium(tmp_path, *command, "--address", "127.0.0.1:1")

    assert 1 == code
    assert "gremium up" in err


def wait_for_another(folder, service, *, than):
    """Wait until the service runs under another process id."""
    until = time.monotonic() + LIMIT_S
    while (
        than == json.loads((folder / ".gremium/mesh.json").read_text())["services"][service]["pid"]
    ):
        assert time.monotonic() < until
        time.sleep(0.1)
